package run

import (
	"math"
	"os"
	"strconv"
	"strings"
)

// jiffies are the CPU time that a hypervisor took from this machine, and all CPU time, since it started.
func jiffies() (steal, total float64) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return math.NaN(), math.NaN()
	}
	line, _, _ := strings.Cut(string(data), "\n")
	fields := strings.Fields(line)
	const stealAt = 8 // cpu user nice system idle iowait irq softirq steal guest guest_nice
	for i := 1; i < len(fields) && i <= stealAt; i++ {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return math.NaN(), math.NaN()
		}
		total += value
		if i == stealAt {
			steal = value
		}
	}
	return steal, total
}

// openFiles counts the open descriptors of this process.
func openFiles() float64 {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return math.NaN()
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return math.NaN()
	}
	return float64(len(names) - 1) // the listing itself
}

// cpuAndMemory name the processor and count the memory in MB; "" and 0 when they cannot be told.
func cpuAndMemory() (cpu string, memoryMB int) {
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		cpu = valueOf(string(data), "model name")
	}
	if data, err := os.ReadFile("/proc/meminfo"); err == nil {
		kib, _ := strconv.Atoi(strings.TrimSuffix(valueOf(string(data), "MemTotal"), " kB"))
		memoryMB = kib * 1024 / 1e6
	}
	return cpu, memoryMB
}

// valueOf finds "key : value" in a file of /proc.
func valueOf(text, key string) string {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// kernel names the running kernel.
func kernel() string {
	data, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// localPorts counts the ports that connections to one address can have at this end.
func localPorts() int {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0
	}
	bounds := strings.Fields(string(data))
	if len(bounds) != 2 {
		return 0
	}
	first, errA := strconv.Atoi(bounds[0])
	last, errB := strconv.Atoi(bounds[1])
	if errA != nil || errB != nil || last < first {
		return 0
	}
	return last - first + 1
}
