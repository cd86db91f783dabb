package scenarios

import (
	"fmt"
	"math"
)

// Machine is what Warnings has to know of where the run will be. The zero Machine is one of which nothing is known.
type Machine struct {
	Files    int // descriptors that a process may open; 0 = not known
	Cores    int // 0 = not known
	MemoryMB int // 0 = not known
	Ports    int // local ports for connections that are made; 0 = not known
}

// What a run costs, as it was measured on two cores of a virtual machine in 2026 with 1,000 to 4,000 streams: an estimate of the size of a
// thing, so that warnings name it with what follows from it.
const (
	generatorStreamKiB = 20
	targetStreamKiB    = 8

	generatorDelivery = 9e-6 // CPU seconds of one delivery
	targetDelivery    = 6e-6
	generatorCommand  = 70e-6
	targetCommand     = 80e-6

	busyShare   = 0.7 // of the cores: above it the generator is late more often than not
	memoryShare = 0.8
)

// spareFiles are the descriptors that a process needs for itself: its listener, its files, the pipes to its children.
const spareFiles = 64

// machineWarnings lists what the machine cannot hold.
//
// Each client with a stream needs one descriptor, each sender one more for its commands, each worker of a flood one: in the
// generator and in the target alike, since every connection has two ends. With several nodes each has its share of them, and
// all of them when the others are gone. A connection also needs a local port, of which there are as many for each node.
func (f *File) machineWarnings(m Machine) []string {
	var warnings []string
	streams, connections := f.connections()
	bundled, nodes := f.Server.URL == nil, max(1, f.Server.Bundled.Nodes)
	if need := connections + spareFiles; m.Files > 0 && need > m.Files {
		too := ""
		if bundled {
			too = " and as many in the target"
		}
		warnings = append(warnings, fmt.Sprintf("the run needs %d open files in the generator%s, the limit of a process is %d: raise it with ulimit -n %d", need, too, m.Files, need))
	}
	if need := (connections + nodes - 1) / nodes; m.Ports > 0 && need > m.Ports {
		warnings = append(warnings, fmt.Sprintf(
			"the run makes %d connections to one address, this machine has %d local ports for that: raise them with sysctl net.ipv4.ip_local_port_range=\"1024 65535\", or take more nodes", need, m.Ports))
	}
	stream := generatorStreamKiB
	if bundled {
		stream += targetStreamKiB
	}
	if needMB := streams * stream / 1000; m.MemoryMB > 0 && float64(needMB) > memoryShare*float64(m.MemoryMB) {
		warnings = append(warnings, fmt.Sprintf(
			"%d streams need about %d MB, at %d KiB each, this machine has %d MB: take fewer clients, or a machine with more", streams, needMB, stream, m.MemoryMB))
	}
	return append(warnings, f.coreWarnings(m, bundled)...)
}

// coreWarnings says when the peak of the load takes more CPU time than there is.
func (f *File) coreWarnings(m Machine, bundled bool) []string {
	delivery, command := generatorDelivery, generatorCommand
	if bundled {
		delivery, command = delivery+targetDelivery, command+targetCommand
	}
	_, sum := f.Estimates()
	need := sum.PeakDeliveries*delivery + sum.PeakCommands*command
	if m.Cores == 0 || need <= busyShare*float64(m.Cores) {
		return nil
	}
	return []string{fmt.Sprintf(
		"at its peak the load is %.0f commands and %.0f deliveries a second, for which it takes about %.1f cores, at %.0f and %.0f us each, this machine has %d: "+
			"expect figures of time that say more about the machine; holobench run --scale makes it smaller",
		sum.PeakCommands, sum.PeakDeliveries, math.Ceil(need*10)/10, command*1e6, delivery*1e6, m.Cores)}
}

// connections counts the streams, and with them all connections that are open at the same time.
func (f *File) connections() (streams, all int) {
	for _, c := range f.Clients {
		if c.Streams {
			streams += c.Count
		}
		senders := 0
		for _, l := range f.Load {
			if l.By == c.Name {
				senders = max(senders, l.Only*max(1, l.InFlight)) // always the first of the group: they keep their connections from load to load
			}
		}
		all += senders
	}
	for _, l := range f.Load {
		all += l.Workers
	}
	return streams, all + streams
}
