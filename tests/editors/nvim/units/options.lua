local config = require('greenloop.config')
local same, told = _G.same, _G.told

return {
  ['defaults stand where nothing is set'] = function()
    config.set(nil)
    same(config.get(), config.defaults)
    same(told(), {})
  end,

  ['an option of a table leaves the others of it alone'] = function()
    config.set({ review = { left = 'base' } })
    same(config.get().review, { left = 'base', maps = true, panel_width = 28 })
  end,

  ['what is wrong is named and the default used, what is right stays'] = function()
    config.set({
      tell = 'everything',
      codelens = true,
      colour = 'green',
      runs = { height = 'tall' },
    })
    local options = config.get()
    same({ options.tell, options.codelens, options.runs.height }, { 'outcome', true, 14 })
    same(told(), {
      'greenloop: there is no option "colour"; see :help greenloop-options',
      'greenloop: option "runs.height" must be a number, not a string; see :help greenloop-options',
      'greenloop: option "tell" is "everything"; it must be one of all, outcome, none;'
        .. ' see :help greenloop-options',
    })
  end,

  ['options of vim.g are taken, and those of setup go before them'] = function()
    vim.g.greenloop = { tell = 'none', codelens = true }
    config.set({ tell = 'all' })
    same({ config.get().tell, config.get().codelens }, { 'all', true })
    vim.g.greenloop = nil
    config.set(nil)
  end,

  ['settings are the business of the server'] = function()
    same(config.problems({ settings = { whatever = 1 } }), {})
  end,
}
