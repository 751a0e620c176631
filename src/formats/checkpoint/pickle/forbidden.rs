//! Functions that no checkpoint needs and every attack does.
//!
//! Nothing is ever called here, so they could do no harm. Other programs do call them, so a pickle that refers to one
//! is refused.

/// Modules, and the functions in them.
const FORBIDDEN: &[(&[&str], &[&str])] = &[
    (
        &["builtins", "__builtin__"],
        &[
            "__import__",
            "apply",
            "breakpoint",
            "compile",
            "eval",
            "exec",
            "execfile",
            "exit",
            "file",
            "input",
            "open",
            "quit",
            "raw_input",
        ],
    ),
    (
        &["os", "posix", "nt"],
        &[
            "_exit",
            "abort",
            "chmod",
            "chown",
            "execl",
            "execle",
            "execlp",
            "execv",
            "execve",
            "execvp",
            "execvpe",
            "fork",
            "kill",
            "link",
            "makedirs",
            "mkdir",
            "open",
            "popen",
            "posix_spawn",
            "posix_spawnp",
            "putenv",
            "remove",
            "removedirs",
            "rename",
            "replace",
            "rmdir",
            "spawnl",
            "spawnlp",
            "spawnv",
            "spawnve",
            "spawnvp",
            "startfile",
            "symlink",
            "system",
            "truncate",
            "unlink",
            "write",
        ],
    ),
    (
        &["subprocess"],
        &[
            "Popen",
            "call",
            "check_call",
            "check_output",
            "getoutput",
            "getstatusoutput",
            "run",
        ],
    ),
    (&["commands"], &["getoutput", "getstatusoutput"]),
    (&["pty"], &["fork", "spawn"]),
    (
        &["shutil"],
        &["copy", "copyfile", "copytree", "move", "rmtree"],
    ),
    (
        &["socket"],
        &["create_connection", "create_server", "socket"],
    ),
    (&["sys"], &["exit", "setprofile", "settrace"]),
    (&["runpy"], &["_run_code", "run_module", "run_path"]),
    (&["importlib"], &["import_module", "reload"]),
    (
        &["code"],
        &["InteractiveConsole", "InteractiveInterpreter", "interact"],
    ),
    (&["codeop"], &["compile_command"]),
    (&["ctypes"], &["CDLL", "PyDLL", "WinDLL", "cdll"]),
    (
        &["webbrowser"],
        &["get", "open", "open_new", "open_new_tab"],
    ),
    (&["urllib.request"], &["urlopen", "urlretrieve"]),
    (&["pip", "pip._internal"], &["main"]),
    (&["timeit"], &["main", "repeat", "timeit"]),
    (&["cProfile", "profile"], &["run", "runctx"]),
    (&["pdb", "bdb"], &["run", "runcall", "runctx", "runeval"]),
    (
        &["asyncio.subprocess"],
        &["create_subprocess_exec", "create_subprocess_shell"],
    ),
    (&["torch.hub"], &["load", "load_state_dict_from_url"]),
    (&["torch.utils.cpp_extension"], &["load", "load_inline"]),
    (&["types"], &["CodeType", "FunctionType"]),
    (&["marshal"], &["load", "loads"]),
];

/// Returns true if no pickle may refer to this function.
pub fn is_forbidden(module: &str, name: &str) -> bool {
    FORBIDDEN
        .iter()
        .any(|(modules, names)| modules.contains(&module) && names.contains(&name))
}
