/**
 * What a shell has to be told so that it asks berry at each press of Tab. berry answers with a line a candidate,
 * `VALUE<tab>DESCRIPTION`, and, where files may stand there as well, a last line `:files` or `:folders`.
 */
export const completionScripts = {
  bash: `# bash completion of berry
_berry() {
    local words=("\${COMP_WORDS[@]:1:COMP_CWORD}") line paths=
    # bash takes --flag=value for three words
    local index joined=()
    for ((index = 0; index < \${#words[@]}; index++)); do
        if [[ \${words[index]} == = && \${#joined[@]} -gt 0 ]]; then
            joined[-1]+="="
            [[ $((index + 1)) -lt \${#words[@]} ]] && joined[-1]+="\${words[++index]}"
        else
            joined+=("\${words[index]}")
        fi
    done
    local current=\${joined[-1]-}
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files | :folders) paths=\${line#:} ;;
            *)
                line=\${line%%$'\\t'*}
                [[ $current == --*=* ]] && line=\${line#*=}
                COMPREPLY+=("$(printf %q "$line")")
                ;;
        esac
    done < <("\${COMP_WORDS[0]}" complete -- "\${joined[@]}" 2>/dev/null)
    [[ $current == --*=* ]] && current=\${current#*=}
    [[ -z $paths ]] && return
    compopt -o filenames 2>/dev/null
    local kind=-f
    [[ $paths == folders ]] && kind=-d
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$kind" -- "$current")
}
complete -F _berry berry
`,
  zsh: `#compdef berry
_berry() {
    local -a given=("\${(@)words[2,CURRENT]}") found
    local line paths=
    for line in "\${(@f)$("$words[1]" complete -- "\${(@)given}" 2>/dev/null)}"; do
        case $line in
            ('') ;;
            (:files | :folders) paths=\${line#:} ;;
            (*) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
        esac
    done
    (( \${#found} )) && _describe -V berry found
    local after=
    [[ \${given[-1]} == --*=* ]] && after='*='
    [[ -n $after ]] && compset -P "$after"
    case $paths in
        (files) _files ;;
        (folders) _files -/ ;;
    esac
}
if [[ $funcstack[1] == _berry ]]; then
    _berry "$@"
else
    compdef _berry berry
fi
`,
  fish: `# fish completion of berry
function __berry_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l paths
    for line in ($words[1] complete -- $words[2..-1] 2>/dev/null)
        switch $line
            case ':files' ':folders'
                set paths (string sub -s 2 -- $line)
            case '*'
                echo $line
        end
    end
    set -l current (string replace -r '^--[^=]*=' '' -- (commandline -ct))
    set -l flag (string match -r '^--[^=]*=' -- (commandline -ct))
    switch "$paths"
        case files
            printf "$flag%s\\n" (__fish_complete_path $current)
        case folders
            printf "$flag%s\\n" (__fish_complete_directories $current '')
    end
end
complete -c berry -f -a '(__berry_complete)'
`,
} as const;

export type Shell = keyof typeof completionScripts;
