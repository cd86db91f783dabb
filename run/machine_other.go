//go:build !linux

package run

import "math"

// Other systems do not tell these without more code than they are worth here; the report leaves them out.

func jiffies() (steal, total float64) { return math.NaN(), math.NaN() }

func openFiles() float64 { return math.NaN() }

func cpuAndMemory() (cpu string, memoryMB int) { return "", 0 }

func kernel() string { return "" }

func localPorts() int { return 0 }
