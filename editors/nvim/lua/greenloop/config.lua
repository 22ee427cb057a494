--- What the user has set: `vim.g.greenloop` and `setup()`, checked, over the defaults.
local say = require('greenloop.say')

local M = {}

---@class greenloop.Options
---@field cmd? string[] how the language server is started; nil: found, see |greenloop-server|
---@field trusted? boolean|fun(root: string): boolean false: nothing of the repository is run
---@field filetypes? string[] nil: every file of a repository, since unsaved text of all counts
---@field max_file_bytes? integer larger files are not sent to the server
---@field settings? greenloop.Settings as docs/protocol.md has them
---@field codelens? boolean show code lenses at tests and stubs
---@field restart? boolean start the server again when it has ended by itself
---@field tell? 'all'|'outcome'|'none' which news of runs are notified
---@field review? greenloop.ReviewOptions
---@field runs? greenloop.RunsOptions

---@class greenloop.ReviewOptions
---@field left? 'file'|'base' what the proposal is compared with
---@field maps? boolean buffer-local maps in the windows of a review
---@field panel_width? integer columns of the list of files; 0: none

---@class greenloop.RunsOptions
---@field height? integer lines of the window
---@field limit? integer how many runs are asked for
---@field maps? boolean buffer-local maps in the window

---@class greenloop.Settings
---@field strategy? 'auto'|'offline'|'model'
---@field model? string
---@field attempts? integer
---@field backend? ''|'docker'|'bubblewrap'
---@field runsAtOnce? integer
---@field onExit? 'cancel'|'finish'
---@field saveOnAccept? boolean
---@field recheckOnReject? boolean
---@field codeLens? boolean
---@field testDiagnostics? boolean

---@type greenloop.Options
M.defaults = {
  trusted = true,
  max_file_bytes = 4 * 1024 * 1024,
  settings = {},
  codelens = false,
  restart = true,
  tell = 'outcome',
  review = { left = 'file', maps = true, panel_width = 28 },
  runs = { height = 14, limit = 50, maps = true },
}

local TYPES = {
  cmd = { 'table' },
  trusted = { 'boolean', 'function' },
  filetypes = { 'table' },
  max_file_bytes = { 'number' },
  settings = { 'table' },
  codelens = { 'boolean' },
  restart = { 'boolean' },
  tell = { 'string' },
  review = { 'table' },
  runs = { 'table' },
  ['review.left'] = { 'string' },
  ['review.maps'] = { 'boolean' },
  ['review.panel_width'] = { 'number' },
  ['runs.height'] = { 'number' },
  ['runs.limit'] = { 'number' },
  ['runs.maps'] = { 'boolean' },
}

local CHOICES = {
  tell = { 'all', 'outcome', 'none' },
  ['review.left'] = { 'file', 'base' },
}

--- Says what is wrong with options; an empty list when nothing is.
---@param options table<string, any>
---@param within? string
---@return string[]
function M.problems(options, within)
  local found = {} ---@type string[]
  for key, value in vim.spairs(options) do
    local name = (within and within .. '.' or '') .. tostring(key)
    local types = TYPES[name]
    if not types then
      table.insert(found, ('there is no option %q'):format(name))
    elseif not vim.list_contains(types, type(value)) then
      local wanted = table.concat(types, ' or ')
      table.insert(found, ('option %q must be a %s, not a %s'):format(name, wanted, type(value)))
    elseif CHOICES[name] and not vim.list_contains(CHOICES[name], value) then
      local wanted = table.concat(CHOICES[name], ', ')
      table.insert(found, ('option %q is %q; it must be one of %s'):format(name, value, wanted))
    elseif type(M.defaults[name]) == 'table' and name ~= 'settings' then
      vim.list_extend(found, M.problems(value, name))
    end
  end
  return found
end

--- Keeps what is right of given options.
---@param options table<string, any>
---@return greenloop.Options
local function sound(options)
  local problems = M.problems(options)
  for _, problem in ipairs(problems) do
    say.warn(problem .. '; see :help greenloop-options')
  end
  if #problems == 0 then
    return options
  end
  local kept = {}
  for key, value in pairs(options) do
    if #M.problems({ [key] = value }) == 0 then
      kept[key] = value
    end
  end
  return kept
end

local given = nil ---@type greenloop.Options?
local chosen = nil ---@type greenloop.Options?

---@param options? greenloop.Options
function M.set(options)
  given = options
  chosen = nil
end

--- All options, defaults filled in.
---@return greenloop.Options
function M.get()
  if not chosen then
    local global = type(vim.g.greenloop) == 'table' and vim.g.greenloop or {}
    chosen = vim.tbl_deep_extend('force', M.defaults, sound(global), sound(given or {}))
  end
  return chosen
end

return M
