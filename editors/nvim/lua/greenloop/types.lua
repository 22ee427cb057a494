---@meta
--- What docs/protocol.md says, for lua-language-server. Nothing here is ever run.

---@class greenloop.RunLine
---@field run string
---@field kind 'fix'|'implement'|'test'
---@field folder string
---@field title string
---@field state 'waiting'|'running'|'finished'|'interrupted'
---@field phase string
---@field doing string
---@field percent? number
---@field verdict string
---@field confidence string
---@field message string
---@field startedAt number
---@field endedAt? number
---@field hunks? { open: integer, accepted: integer, rejected: integer }
---@field here boolean
---@field canCancel boolean
---@field canResume boolean
---@field canReview boolean

---@class greenloop.RunState : greenloop.RunLine
---@field goal string
---@field targets string[]
---@field strategy string
---@field environment string
---@field weaker string
---@field baseline? { failing: string[], passing: integer, flaky: string[] }
---@field failures greenloop.TestFailure[]
---@field attempts greenloop.Attempt[]
---@field candidates { rank: integer, why: string, verdict: string, detail: string }[]
---@field ownTests string[]
---@field options { rank: integer, confidence: string, why: string, patch: string }[]
---@field notes string[]
---@field receipt string
---@field log greenloop.LogLine[]

---@class greenloop.Attempt
---@field attempt integer
---@field model string
---@field endpoint string
---@field step integer
---@field steps integer
---@field state string
---@field doing string
---@field plan string[]
---@field promptTokens integer
---@field cachedTokens integer
---@field outputTokens integer
---@field costUsd? number

---@class greenloop.LogLine
---@field number integer
---@field at number
---@field kind 'phase'|'tests'|'search'|'model'|'tool'|'verdict'|'notice'|'end'
---@field text string
---@field diff? string

---@class greenloop.TestFailure
---@field id string
---@field uri string
---@field range lsp.Range
---@field message string
---@field frames { uri: string, line: integer, ['function']: string }[]

---@class greenloop.TestOutcome
---@field id string
---@field outcome string
---@field durationS number
---@field failure? greenloop.TestFailure

---@class greenloop.Unit
---@field kind 'test'|'suite'|'stub'
---@field id string
---@field name string
---@field range lsp.Range
---@field selectionRange lsp.Range
---@field parent integer

---@class greenloop.Status
---@field server string
---@field repository string
---@field engine { ok: boolean, text: string, remedy: string }
---@field model { name: string, endpoint: string, text: string, remedy: string }
---@field strategy string
---@field running integer
---@field waiting integer

---@class greenloop.Proposal
---@field run string
---@field folder string
---@field title string
---@field verdict string
---@field confidence string
---@field message string
---@field revision integer
---@field check greenloop.Check
---@field files greenloop.ProposalFile[]
---@field canUndo boolean

---@class greenloop.Check
---@field state 'measured'|'stale'|'running'|'failed'
---@field verdict string
---@field message string
---@field receipt string

---@class greenloop.ProposalFile
---@field path string
---@field uri string
---@field change 'modified'|'added'|'deleted'|'mode'
---@field binary boolean
---@field edited boolean
---@field baseUri string
---@field proposedUri string
---@field hunks greenloop.Hunk[]

---@class greenloop.Hunk
---@field id string
---@field kind 'lines'|'add'|'delete'|'replace'|'mode'
---@field state 'open'|'accepted'|'rejected'
---@field base greenloop.Lines
---@field proposed greenloop.Lines
---@field now? greenloop.Lines
---@field conflict? string
---@field old string
---@field new string
---@field neededFor string[]
---@field ownTest boolean

---@class greenloop.Lines
---@field line integer
---@field count integer

---@class greenloop.Done
---@field path string
---@field uri string
---@field how 'buffer'|'disk'
---@field saved boolean
---@field save boolean
---@field hunks string[]

---@class greenloop.Conflict
---@field path string
---@field hunks string[]
---@field line integer
---@field why string
---@field expected string
---@field found string

---@class greenloop.Decided
---@field done greenloop.Done[]
---@field conflicts greenloop.Conflict[]
---@field refused string
---@field proposal greenloop.Proposal
