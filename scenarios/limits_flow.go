package scenarios

import "time"

// The limits of what a client does in one act, and of its data.
const (
	maxParts     = 500 // of one template
	maxReference = 200 // bytes of a name in a template

	maxFlowSteps = 500       // of one load
	maxFlowDepth = 8         // of flows in one another
	maxRepeats   = 10_000    // of one repeat
	maxActSteps  = 1_000_000 // of one act, with all that is repeated
	maxResends   = 100
	maxFields    = 100       // of one command
	maxEvents    = 1_000_000 // that one step waits for
	maxThink     = time.Hour
	maxWithin    = time.Hour
	maxSettle    = 10 * time.Minute
	maxPattern   = 1000 // bytes of a regular expression

	maxFeeds     = 20
	maxFeedBytes = 64 << 20
	maxColumns   = 200
	maxCell      = 32 << 10 // bytes
	maxSecrets   = 100_000  // of one feed
	maxValues    = 100
	maxLength    = 4096    // characters of a text that is drawn
	maxRanks     = 1 << 20 // of a zipf law: its table takes 8 bytes each
)
