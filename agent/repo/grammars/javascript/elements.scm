[(jsx_opening_element name: (identifier) @call) (jsx_self_closing_element name: (identifier) @call)]
[(jsx_text) (html_character_reference)] @use.out
