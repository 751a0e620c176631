# Completions of tokscope for fish: the program itself knows the candidates.
function __tokscope_complete
    set -l token (commandline -ct)
    set -l words (commandline -opc) "$token"
    set -l program $words[1]
    type -q -- $program; or set program tokscope
    set -l lines ($program __complete -- $words 2>/dev/null)
    set -l kind $lines[1]
    set -e lines[1]
    printf '%s\n' $lines
    set -l option (string match -r -- '^--[^=]*=' $token)
    set -l path (string replace -r -- '^--[^=]*=' '' $token)
    switch "$kind"
        case files
            for found in (__fish_complete_path "$path")
                echo "$option$found"
            end
        case directories
            for found in (__fish_complete_directories "$path" '')
                echo "$option$found"
            end
    end
end
complete -c tokscope -f -a '(__tokscope_complete)'
