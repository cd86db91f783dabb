//go:build !race

package target

// poolsLose says that a sync.Pool lets some of its elements go, so that who borrows from one allocates now and then.
const poolsLose = false
