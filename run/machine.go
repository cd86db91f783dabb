package run

import (
	"os"
	"runtime"
	"syscall"

	"holobench/clients"
	"holobench/history"
	"holobench/scenarios"
)

// DescribeMachine says where this process runs.
func DescribeMachine() history.Machine {
	m := history.Machine{OS: runtime.GOOS, Kernel: kernel(), CPUs: runtime.NumCPU(), MaxFiles: MaxFiles(), Ports: localPorts(), Stamps: "user"}
	m.CPU, m.MemoryMB = cpuAndMemory()
	if name, err := os.Hostname(); err == nil {
		m.Hostname = name
	}
	if clients.KernelStamps() {
		m.Stamps = "kernel"
	}
	return m
}

// Limits is what a scenario is held against that is to be run on m.
func Limits(m history.Machine) scenarios.Machine {
	return scenarios.Machine{Files: m.MaxFiles, Cores: m.CPUs, MemoryMB: m.MemoryMB, Ports: m.Ports, ManyLoopback: m.OS == "linux"}
}

// MaxFiles is how many descriptors this process may have open. Go raises its soft limit to the hard one when it starts.
func MaxFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<30)) //nolint:gosec // bounded
}
