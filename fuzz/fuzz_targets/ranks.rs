#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tokscope_fuzz::enter("ranks", bytes));
