--- `:checkhealth greenloop`: everything that a run needs, and what to do where it is missing.
local client = require('greenloop.client')
local config = require('greenloop.config')
local server = require('greenloop.server')
local status = require('greenloop.status')
local task = require('greenloop.task')

local M = {}

local ANSWER_MS = 20000

local function editor()
  vim.health.start('Neovim')
  local version = tostring(vim.version())
  if vim.fn.has('nvim-0.10') == 1 then
    vim.health.ok('Neovim ' .. version)
  else
    vim.health.error('Neovim ' .. version .. ' is too old', 'Update to 0.10 or newer')
  end
  local global = type(vim.g.greenloop) == 'table' and vim.g.greenloop or {}
  local problems = config.problems(global)
  for _, problem in ipairs(problems) do
    vim.health.warn(problem, 'See :help greenloop-options')
  end
  if #problems == 0 then
    vim.health.ok('the options are sound')
  end
  if vim.fn.executable('git') == 1 then
    vim.health.ok('git: ' .. vim.fn.exepath('git'))
  else
    vim.health.error('git was not found', 'Install git; a base is taken with it')
  end
end

---@return boolean
local function program()
  vim.health.start('Language server')
  local command = server.command()
  if not command then
    local places = table.concat(server.places(), '\n    ')
    vim.health.error(server.missing(), { server.REMEDY, 'Looked for at:\n    ' .. places })
    return false
  end
  local version, problem = server.version(command)
  if not version then
    vim.health.error(('%s does not start: %s'):format(command[1], problem), server.REMEDY)
    return false
  end
  vim.health.ok(('%s (%s)'):format(command[1], version))
  return true
end

local function readiness()
  local found = client.connection()
  if not found then
    local text = 'it does not run, since no file of a repository is open'
    if client.has_lsp_config and not (vim.lsp.is_enabled and vim.lsp.is_enabled('greenloop')) then
      text = "it is not enabled; use vim.lsp.enable('greenloop') or require('greenloop').setup()"
    end
    vim.health.info(text)
  end
  local state ---@type greenloop.Status?
  local is_asked = task.finish(function()
    state = status.load()
  end, ANSWER_MS)
  if not is_asked or not state then
    vim.health.warn(
      'it gives no answer for this folder',
      'Open a file of a git repository, then try again'
    )
    return
  end
  found = assert(client.connection())
  if found.protocol == client.PROTOCOL then
    vim.health.ok('it answers and speaks protocol ' .. found.protocol)
  else
    vim.health.error(
      ('it speaks protocol %d, this plugin %d'):format(found.protocol, client.PROTOCOL),
      'Update the older of the two'
    )
  end
  vim.health.start('A run here')
  if state.repository ~= '' then
    vim.health.ok('repository: ' .. state.repository)
  else
    vim.health.warn('no git repository', 'Open a file of one, or run `git init`')
  end
  local function say(is_ok, text, remedy, otherwise)
    if is_ok then
      vim.health.ok(text)
    else
      otherwise(text, remedy ~= '' and remedy or nil)
    end
  end
  local engine = 'engine: ' .. state.engine.text:gsub('^engine: ', '')
  say(state.engine.ok, engine, state.engine.remedy, vim.health.error)
  local model = state.model
  if model.name == '' then
    vim.health.info('no model is set: the offline search is used. ' .. model.remedy)
  else
    local text = ('model: %s %s'):format(
      model.name,
      model.text ~= '' and model.text or model.endpoint
    )
    say(model.remedy == '', text, model.remedy, vim.health.warn)
  end
end

function M.check()
  editor()
  if program() then
    readiness()
  end
end

return M
