# Completion of trebuchet-agent and trebuchet-provision in bash: the words come from the programs' own --help.
_trebuchet() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=() word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] || previous+=("$word")
    done
    local help
    help=$("${COMP_WORDS[0]}" "${previous[@]}" --help 2>/dev/null)
    local options subcommands
    options=$(grep -oE -- '(^| |,)--?[a-zA-Z][a-zA-Z_-]*' <<<"$help" | tr -d ' ,')
    subcommands=$(sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$help")
    mapfile -t COMPREPLY < <(compgen -W "$options $subcommands" -- "$current"; compgen -f -- "$current")
}
complete -o filenames -F _trebuchet trebuchet-agent trebuchet-provision
