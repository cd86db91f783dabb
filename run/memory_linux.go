package run

import (
	"os"
	"strconv"
	"strings"
)

// resident is how much memory of this process is in the machine's, in bytes; 0 when that cannot be told.
func resident() int64 { return residentOf(os.Getpid()) }

// residentOf is resident for any process.
func residentOf(pid int) int64 {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data)) // size resident shared ...
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
