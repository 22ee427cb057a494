; All words are uses, see keywords.txt, but for those in strings; code in strings counts.
(string) @use.out
(interpolation) @use.in
[(format_specifier) (type_conversion)] @use.out
(format_expression) @use.in
(future_import_statement "__future__" @use.out)
(match_statement "match" @use.out)
(case_clause "case" @use.out)
(type_alias_statement "type" @use.out)
(print_statement "print" @use.out)
(exec_statement "exec" @use.out)
(keyword_argument name: (identifier) @use.not)
(parameters [
  (identifier) @use.not
  (default_parameter name: (identifier) @use.not)
  (typed_parameter . (identifier) @use.not)
  (typed_default_parameter name: (identifier) @use.not)])
