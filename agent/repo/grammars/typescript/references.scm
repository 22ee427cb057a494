(predefined_type) @use.out
["abstract" "accessor" "any" "assert" "asserts" "declare" "global" "implements" "infer" "interface"
 "is" "keyof" "module" "namespace" "never" "number" "object" "override" "private" "protected"
 "public" "readonly" "require" "satisfies" "string" "symbol" "type" "unknown" "boolean"] @use.out
[(required_parameter pattern: (identifier) @use.not)
 (optional_parameter pattern: (identifier) @use.not)]
