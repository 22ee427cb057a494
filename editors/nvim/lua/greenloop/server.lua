--- Finds the language server's program; starts nothing but `--version`.
local config = require('greenloop.config')

local M = {}

M.PROGRAM = 'greenloop-lsp'
M.REMEDY = 'Install it with `uv tool install greenloop` or `pipx install greenloop`, or set `cmd`; '
  .. ':checkhealth greenloop shows where it was looked for'

--- Where it is looked for, in this order. Never inside a repository: its files are not trusted to
--- bring a program along. An environment counts only when the user has activated it.
---@return string[]
function M.places()
  local places = {} ---@type string[]
  local activated = vim.env.VIRTUAL_ENV
  if activated and activated ~= '' then
    table.insert(places, vim.fs.joinpath(activated, 'bin', M.PROGRAM))
  end
  table.insert(places, M.PROGRAM)
  local home = vim.uv.os_homedir()
  if home then
    table.insert(places, vim.fs.joinpath(home, '.local', 'bin', M.PROGRAM))
  end
  return places
end

--- The program in an absolute folder of PATH: a relative one would be looked for in whatever
--- repository Neovim stands in.
---@param program string
---@return string empty where it is in none
local function on_path(program)
  for _, folder in ipairs(vim.split(vim.env.PATH or '', ':', { plain = true })) do
    if vim.startswith(folder, '/') then
      local found = vim.fn.exepath(vim.fs.joinpath(folder, program))
      if found ~= '' then
        return found
      end
    end
  end
  return ''
end

--- The command that starts the server, or nil where none is found.
---@return string[]?
function M.command()
  local set = config.get().cmd
  if set then
    return vim.fn.executable(set[1] or '') == 1 and set or nil
  end
  for _, place in ipairs(M.places()) do
    local is_name = place == M.PROGRAM
    local found = is_name and on_path(place) or ''
    if not is_name then
      found = vim.fn.exepath(place)
    end
    if found ~= '' then
      return { found }
    end
  end
  return nil
end

--- What went wrong when no server is found.
---@return string
function M.missing()
  local set = config.get().cmd
  if set then
    return ('the language server %q of the option `cmd` is not executable'):format(set[1] or '')
  end
  return 'no language server (' .. M.PROGRAM .. ') was found'
end

--- Asks the program for its version.
---@param command string[]
---@return string? version
---@return string? problem
function M.version(command)
  local arguments = vim.list_extend(vim.list_slice(command), { '--version' })
  local ok, done = pcall(function()
    return vim.system(arguments, { text = true, timeout = 10000 }):wait()
  end)
  if not ok then
    return nil, tostring(done)
  end
  if done.code ~= 0 then
    return nil, vim.trim(done.stderr or '')
  end
  return vim.trim(done.stdout or ''), nil
end

return M
