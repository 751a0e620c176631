#compdef tokscope
# Completions of tokscope for zsh: the program itself knows the candidates.
_tokscope() {
    local -a lines candidates
    local line kind program=${(Q)words[1]}
    whence -- "$program" >/dev/null || program=tokscope
    lines=("${(@f)$("$program" __complete -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)}")
    kind=${lines[1]}
    for line in "${(@)lines[2,-1]}"; do
        [[ -n $line ]] && candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    (( ${#candidates} )) && _describe -V tokscope candidates
    [[ $words[CURRENT] == --*=* ]] && compset -P '*='
    case $kind in
        files) _files ;;
        directories) _files -/ ;;
    esac
}
# The file may be found by compinit or read by ~/.zshrc.
if [[ ${funcstack[1]} == _tokscope ]]; then
    _tokscope "$@"
elif (( ${+functions[compdef]} )); then
    compdef _tokscope tokscope
fi
