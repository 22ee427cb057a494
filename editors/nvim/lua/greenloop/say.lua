--- What a person is told: one line each, through vim.notify, so that any notifier shows it.
local M = {}

---@param text string
---@return string # the text in one line
function M.one_line(text)
  return (vim.trim(text):gsub('%s*\n%s*', ' '))
end

---@param text string
---@param level integer
local function notify(text, level)
  local line = 'greenloop: ' .. M.one_line(text)
  if vim.in_fast_event() then
    vim.schedule(function()
      vim.notify(line, level)
    end)
  else
    vim.notify(line, level)
  end
end

---@param text string
function M.info(text)
  notify(text, vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  notify(text, vim.log.levels.WARN)
end

---@param text string
function M.error(text)
  notify(text, vim.log.levels.ERROR)
end

local told = {} ---@type table<string, boolean>

--- Warns the first time only.
---@param text string
function M.warn_once(text)
  if not told[text] then
    told[text] = true
    M.warn(text)
  end
end

---@param count integer
---@param noun string
---@return string # such as `1 hunk` or `2 hunks`
function M.count(count, noun)
  return ('%d %s%s'):format(count, noun, count == 1 and '' or 's')
end

return M
