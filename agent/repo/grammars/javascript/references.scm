; All words are uses, see keywords.txt, but for those in strings; code in strings counts.
[(string) (template_string) (regex) (meta_property) (statement_identifier) (hash_bang_line)] @use.out
(template_substitution "${" @use.out)
(shorthand_property_identifier_pattern) @use.not
["as" "async" "from" "get" "of" "set" "static" "let" "using"] @use.out
(template_substitution) @use.in
(pair key: (property_identifier) @use.not)
(arrow_function parameter: (identifier) @use.not)
