# Completions of tokscope for bash: the program itself knows the candidates.
_tokscope() {
    local line=${COMP_LINE:0:COMP_POINT} program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]}
    local -a words
    read -r -a words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    type -P "$program" >/dev/null || program=tokscope
    COMPREPLY=()
    # Bash breaks words at `=`, `:` and `@`, and replaces only what follows.
    [[ $word == [=:@] ]] && word=
    local current=${words[${#words[@]} - 1]} kind= candidate
    local before=${current%"$word"}
    while IFS= read -r line; do
        if [[ -z $kind ]]; then
            kind=$line
            continue
        fi
        candidate=${line%%$'\t'*}
        COMPREPLY+=("${candidate#"$before"}")
    done < <("$program" __complete -- "${words[@]}" 2>/dev/null)
    case $kind in
        files)
            # Readline completes files, with quotes where they need them.
            compopt -o default 2>/dev/null || while IFS= read -r line; do
                COMPREPLY+=("$line")
            done < <(compgen -f -- "$word")
            ;;
        directories)
            compopt -o nospace 2>/dev/null
            while IFS= read -r line; do
                COMPREPLY+=("$line")
            done < <(compgen -d -S / -- "$word")
            # A word that is complete is followed by a space.
            if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} != */ ]]; then
                COMPREPLY[0]+=' '
            fi
            ;;
    esac
}
complete -F _tokscope tokscope
