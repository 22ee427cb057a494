local texts = require('greenloop.review.texts')
local same = _G.same

local function round_trip(text)
  local lines, options = texts.to_lines(text)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.bo[bufnr].fixendofline = false
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].fileformat = options.fileformat
  vim.bo[bufnr].bomb = options.bomb
  vim.bo[bufnr].endofline = options.endofline
  return texts.to_text(bufnr)
end

return {
  ['a text goes through a buffer byte for byte'] = function()
    for _, text in ipairs({
      '',
      '\n',
      '\n\n',
      'one',
      'one\n',
      'one\n\n',
      'one\r\ntwo\r\n',
      'one\r\ntwo',
      'one\r\ntwo\n',
      'lone\rcarriage\n',
      '\239\187\191with a mark\n',
      '\239\187\191',
      'tab\tand 🟢 and \226\128\168 separator\n',
      '    \n  trailing  \n',
    }) do
      same(round_trip(text), text)
    end
  end,

  ['lines of a text with line ends of DOS have none of their own'] = function()
    local lines, options = texts.to_lines('one\r\ntwo\r\n')
    same(lines, { 'one', 'two' })
    same(options, { fileformat = 'dos', bomb = false, endofline = true })
  end,
}
