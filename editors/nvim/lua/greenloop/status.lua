--- Whether a run could be started here, in a few lines.
local client = require('greenloop.client')
local task = require('greenloop.task')

local M = {}

--- The lines that are shown.
---@param status greenloop.Status
---@return [string, string][]
function M.lines(status)
  local function with_remedy(text, remedy)
    return remedy ~= '' and not text:find(remedy, 1, true) and text .. '. ' .. remedy or text
  end
  local model = status.model
  local has_model = model.name ~= ''
  local lines = {
    { 'server      ' .. status.server, 'Normal' },
    {
      'repository  '
        .. (
          status.repository ~= '' and status.repository or 'none; open a file of a git repository'
        ),
      status.repository ~= '' and 'Normal' or 'WarningMsg',
    },
    {
      'engine      '
        .. with_remedy((status.engine.text:gsub('^engine: ', '')), status.engine.remedy),
      status.engine.ok and 'Normal' or 'WarningMsg',
    },
    {
      'model       '
        .. (has_model and model.name .. ': ' or '')
        .. with_remedy(
          model.text ~= '' and model.text or (has_model and model.endpoint or 'none is set'),
          model.remedy
        ),
      'Normal',
    },
    { 'strategy    ' .. status.strategy, 'Normal' },
    { ('runs        %d running, %d waiting'):format(status.running, status.waiting), 'Normal' },
  }
  return lines
end

--- Asks for the status. To be called within a task.
---@return greenloop.Status
function M.load()
  local bufnr = vim.api.nvim_get_current_buf()
  return client.call('greenloop/status', { folder = client.folder(bufnr) }, bufnr)
end

--- Shows it as a message.
function M.show()
  task.start(function()
    local chunks = {} ---@type [string, string][]
    for number, line in ipairs(M.lines(M.load())) do
      table.insert(chunks, { (number > 1 and '\n' or '') .. line[1], line[2] })
    end
    vim.api.nvim_echo(chunks, true, {})
  end)
end

return M
