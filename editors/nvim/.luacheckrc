-- Neovim runs LuaJIT; `vim` is its only global. Field types are annotations, which luacheck skips.
std = 'luajit'
cache = false
max_line_length = 100
read_globals = { 'vim' }
globals = { 'vim.g', 'vim.o', 'vim.b', 'vim.bo', 'vim.wo', 'vim.opt', 'vim.env', 'vim.notify' }
