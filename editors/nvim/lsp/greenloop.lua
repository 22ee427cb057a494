-- Read by vim.lsp.enable('greenloop') of Neovim 0.11 and newer.
return require('greenloop.client').config()
