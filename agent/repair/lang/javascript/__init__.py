"""JavaScript and TypeScript as the templates see them."""
