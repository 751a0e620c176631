//! Dates of HTTP headers, in their three formats (RFC 9110, section 5.6.7).

use std::time::{Duration, SystemTime};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const SECONDS_PER_DAY: u64 = 86_400;

/// Returns the number of seconds from 1970 to an HTTP date; `None` if the text is not one, or is before 1970. A year of
/// two digits is the one that is closest to `now` and at most 50 years after it.
///
/// ```text
/// Sun, 06 Nov 1994 08:49:37 GMT
/// Sunday, 06-Nov-94 08:49:37 GMT
/// Sun Nov  6 08:49:37 1994
/// ```
pub(super) fn parse(text: &str, now: SystemTime) -> Option<u64> {
    let words: Vec<&str> = text
        .split([' ', '-'])
        .filter(|word| !word.is_empty())
        .collect();
    let (day, month, year, time) = match words[..] {
        [weekday, day, month, year, time, "GMT"] if weekday.ends_with(',') => {
            (day, month, year, time)
        }
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year = match (number(year)?, year.len()) {
        (year, 4) => year,
        (year, 2) => full_year(year, now),
        _ => return None,
    };
    let day = number(day).filter(|day| (1..=days_of(month, year)).contains(day))?;
    let mut parts = time.split(':').map(number);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    // A leap second is the 60th of its minute.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days_since_1970(year, month, day)?;
    Some(days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
}

/// Returns the time from `now` to an HTTP date, at most `u64::MAX` seconds, and zero if the date has passed.
pub(super) fn time_until(date: &str, now: SystemTime) -> Option<Duration> {
    let date = parse(date, now)?;
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Duration::from_secs(date).saturating_sub(now))
}

/// Parses digits only: no sign, no space.
fn number(digits: &str) -> Option<u64> {
    let is_number = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

fn full_year(two_digits: u64, now: SystemTime) -> u64 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let this_year = 1970 + since.unwrap_or_default().as_secs() / SECONDS_PER_DAY * 400 / 146_097;
    let year = this_year / 100 * 100 + two_digits;
    if year > this_year + 50 {
        year - 100
    } else {
        year
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(month: u64, year: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let before = year.checked_sub(1970)? * 365 + leap_days(year - 1) - leap_days(1969);
    let months: u64 = (1..month).map(|month| days_of(month, year)).sum();
    Some(before + months + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// The numbers were made with `date -u -d … +%s`.
    #[test]
    fn dates_of_all_three_formats_are_read() {
        let now = at(1_796_000_000);
        for (text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199)),
            ("Fri, 01 Mar 2024 00:00:00 GMT", Some(1_709_251_200)),
            ("Tue, 29 Feb 2000 12:00:00 GMT", Some(951_825_600)),
            ("Mon, 01 Mar 2100 00:00:00 GMT", Some(4_107_542_400)),
            ("Monday, 30-Nov-26 12:00:00 GMT", Some(1_796_040_000)),
            ("Friday, 31-Dec-99 23:59:59 GMT", Some(946_684_799)),
            ("Fri, 31 Dec 9999 23:59:60 GMT", Some(253_402_300_800)),
            ("", None),
            ("120", None),
            ("soon", None),
            ("Sun, 06 Nov 1994 08:49:37", None),
            ("Sun, 06 Nov 1994 08:49:37 +0200", None),
            ("Sun, 06 nov 1994 08:49:37 GMT", None),
            ("Sun, 31 Nov 1994 08:49:37 GMT", None),
            ("Wed, 29 Feb 2023 00:00:00 GMT", None),
            ("Mon, 29 Feb 2100 00:00:00 GMT", None),
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:60:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37:01 GMT", None),
            ("Sun, +6 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 194 08:49:37 GMT", None),
            ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", None),
            ("Wed, 31 Dec 1969 23:59:59 GMT", None),
        ] {
            assert_eq!(parse(text, now), seconds, "{text}");
        }
    }

    #[test]
    fn the_time_until_a_date_is_never_negative() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (now, seconds) in [(784_111_770, 7), (784_111_777, 0), (1_796_000_000, 0)] {
            let until = time_until(date, at(now));
            assert_eq!(until, Some(Duration::from_secs(seconds)));
        }
        let far = time_until("Fri, 31 Dec 9999 23:59:59 GMT", at(0));
        assert!(far > Some(Duration::from_secs(200_000_000_000)));
    }
}
