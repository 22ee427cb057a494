--- Code lenses, where the user wants them; Neovim shows none by itself.
local config = require('greenloop.config')

local M = {}

---@param bufnr integer
function M.attach(bufnr)
  if not config.get().codelens then
    return
  end
  if vim.lsp.codelens.enable then -- Neovim 0.12 draws and renews them by itself
    vim.lsp.codelens.enable(true, { bufnr = bufnr })
    return
  end
  local group = vim.api.nvim_create_augroup('greenloop-lens-' .. bufnr, {})
  vim.api.nvim_create_autocmd({ 'BufEnter', 'InsertLeave', 'BufWritePost' }, {
    group = group,
    buffer = bufnr,
    desc = 'Greenloop: renew code lenses',
    callback = function()
      vim.lsp.codelens.refresh({ bufnr = bufnr })
    end,
  })
  vim.lsp.codelens.refresh({ bufnr = bufnr })
end

return M
