package scenarios

import "time"

// There is a limit on everything. A scenario that reaches one of these is more likely a slip of the pen than a plan; the
// error names the limit. Raise it here when a plan needs more.
const (
	maxFileBytes = 256 << 10
	maxKeys      = 5000 // the YAML library needs a quarter of a second for them, and four times as long for twice as many
	maxAliases   = 1000
	maxMerged    = 100_000 // entries that "<<" brings in, in the whole file
	maxDepth     = 64      // of lists and mappings in one another
	maxFaults    = 1000    // that are collected of one file
	maxErrors    = 50      // that are reported of them
	maxEntries   = 500     // of a list, or of a mapping with names

	maxNodes    = 16
	maxOutbox   = 1 << 20 // events
	maxReplay   = 1 << 20 // events; the target's own limit
	maxInFlight = 64

	maxConnections = maxInFlight + 1 // of one client: its stream has one
	maxClients     = 100_000         // of all groups; the bundled target holds no more streams
	maxChannels    = 100_000         // of one group
	maxGroups      = 100
	maxJoin        = 10 * time.Minute
	minZipf        = 0.01
	maxZipf        = 10
	maxLoads       = 100
	maxStages      = 100
	maxSteps       = 200 // of a search for capacity
	maxBursts      = 1000
	maxBurst       = 1_000_000 // commands

	maxIterations = 1_000_000
	maxReactions  = 10
	maxPause      = time.Hour // between two acts of a client, or before it reacts
	maxWindows    = 100
	maxFault      = 30 * time.Minute // that a client is away, and that leaving or coming back takes

	maxFaultCount = 100
	maxBudgets    = 500
	maxHeaders    = 50
	maxProfiles   = 50
	maxAtRisk     = 1_000_000_000
	maxWorkers    = 1000
	maxCommands   = 100_000_000 // of all loads

	maxServerTriggered = 10_000          // a second, in each channel on each node; the target's own limit
	maxHeartbeat       = time.Hour       // longer is none
	maxBusDelay        = 2 * time.Second // the target waits 5 s for what comes over the bus, there and back

	maxRate       = 1_000_000.0 // commands a second
	maxTime       = 24 * time.Hour
	maxDrain      = 10 * time.Minute
	maxPairWindow = time.Minute // the pairs to compare grow with it
	minPayload    = 64          // bytes
	maxPayload    = 32 << 10    // bytes
	maxName       = 64          // characters of a name that the scenario gives
	maxText       = 4 << 10     // bytes of the text of a payload: escaped, it still fits the body that the target reads
	maxChannel    = 200         // bytes of the name of a channel or a command
	maxHeader     = 32 << 10    // bytes of all header names and values together
	maxMaskable   = 8           // bytes; shorter values are masked where they stand, not wherever they occur
)
