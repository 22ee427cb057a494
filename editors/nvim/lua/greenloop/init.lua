--- What users call: `setup`, `statusline`, and the same things as the :Greenloop command.
local M = {}

--- Sets options and starts the language server in files of repositories. Needed on Neovim 0.10; on
--- 0.11 and newer `vim.lsp.enable('greenloop')` does the same with `vim.g.greenloop` as options.
---@param options? greenloop.Options
function M.setup(options)
  local config = require('greenloop.config')
  local client = require('greenloop.client')
  config.set(options)
  require('greenloop.review.marks').define_groups()
  if client.has_lsp_config then
    vim.lsp.config('greenloop', client.config())
    vim.lsp.enable('greenloop')
    return
  end
  local group = vim.api.nvim_create_augroup('greenloop', { clear = true })
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    desc = 'Greenloop: start the language server in files of repositories',
    callback = function(event)
      client.attach(event.buf)
    end,
  })
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(bufnr) and vim.bo[bufnr].filetype ~= '' then
      client.attach(bufnr)
    end
  end
end

--- What happens now, for a statusline; empty when nothing does. Costs nothing before first use.
---@return string
function M.statusline()
  local runs = package.loaded['greenloop.runs']
  local summary = runs and runs.summary() or ''
  return summary ~= '' and 'greenloop: ' .. summary or ''
end

--- Changes settings of the protocol, such as `{ strategy = 'offline' }`, of the running server too.
---@param settings greenloop.Settings
function M.set(settings)
  require('greenloop.client').set(settings)
end

--- The runs that are known, newest first.
---@return greenloop.RunLine[]
function M.runs()
  return require('greenloop.runs').all()
end

return M
