-- Runs the Lua unit tests of one file in a bare Neovim: `nvim -l run_units.lua PLUGIN FILE`. A file
-- returns a table of functions by sentences; one that raises has failed.
local plugin, file = arg[1], arg[2]
vim.opt.runtimepath:prepend(plugin)
vim.o.swapfile = false

local told = {}
vim.notify = function(text)
  table.insert(told, text)
end

--- Gives what was told since it was asked last.
function _G.told()
  local given = told
  told = {}
  return given
end

--- Raises with both values when they differ.
function _G.same(found, expected)
  if not vim.deep_equal(found, expected) then
    error(('found    %s\nexpected %s'):format(vim.inspect(found), vim.inspect(expected)), 2)
  end
end

local tests = dofile(file)
local failed = 0
for name, test in vim.spairs(tests) do
  told = {}
  local ok, problem = xpcall(test, debug.traceback)
  if not ok then
    failed = failed + 1
    io.stdout:write(('FAILED %s\n%s\n'):format(name, problem))
  end
end
io.stdout:write(('%d tests, %d failed\n'):format(vim.tbl_count(tests), failed))
os.exit(failed == 0 and 0 or 1)
