package scenarios

import (
	"fmt"
	"math"
	"net"
	"strings"
)

// Machine is what Warnings has to know of where the run will be. The zero Machine is one of which nothing is known.
type Machine struct {
	Files    int // descriptors that a process may open; 0 = not known
	Cores    int // 0 = not known
	MemoryMB int // 0 = not known
	Ports    int // local ports for connections that are made from one address; 0 = not known

	Looped func(group int) bool // a loop holds the streams of that group, by its place, instead of a goroutine each; nil = of none

	ManyLoopback bool // connections within this machine can come from any address of 127.0.0.0/8
}

// What a run costs, as it was measured on two cores of a virtual machine in 2026 with 1,000 to 4,000 streams: an estimate of the size of a
// thing, so that warnings name it with what follows from it.
const (
	generatorStreamKiB = 20
	loopedStreamKiB    = 4 // of a stream that a loop holds
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

// Shortages lists what a run on m cannot do without and will not find, each with the number that would do: it has to end before
// it began. Nothing is said of what is not known.
//
// Each client with a stream needs one descriptor, each sender one more for its commands, each worker of a flood one: in the
// generator and in the target alike, since every connection has two ends. With several nodes each has its share of them, and
// all of them when the others are gone. A connection also needs a local port, of which there are as many for each node, and
// at a server on this machine for each address that they come from.
func (f *File) Shortages(m Machine) []string {
	var short []string
	_, connections := f.connections()
	bundled := f.Server.URL == nil
	if need := connections + spareFiles; m.Files > 0 && need > m.Files {
		too := ""
		if bundled {
			too = " and as many in the target"
		}
		short = append(short, fmt.Sprintf("the run needs %d open files in the generator%s, the limit of a process is %d: raise it with ulimit -n %d", need, too, m.Files, need))
	}
	if need := f.perNode(); m.Ports > 0 && f.Sources(m) == 1 && need > m.Ports {
		remedy := ""
		if bundled {
			remedy = ", or take more nodes"
		}
		short = append(short, fmt.Sprintf(
			"the run makes %d connections to one address, this machine has %d local ports for that: raise them with sysctl net.ipv4.ip_local_port_range=\"1024 65535\"%s", need, m.Ports, remedy))
	}
	if need := f.memoryMB(m); m.MemoryMB > 0 && need > m.MemoryMB {
		short = append(short, f.memory(m))
	}
	return short
}

// machineWarnings lists what the machine cannot hold, or only just.
func (f *File) machineWarnings(m Machine) []string {
	warnings := f.Shortages(m)
	if need := f.memoryMB(m); float64(need) > memoryShare*float64(m.MemoryMB) && need <= m.MemoryMB {
		warnings = append(warnings, f.memory(m))
	}
	return append(warnings, f.coreWarnings(m, f.Server.URL == nil)...)
}

// memory says what the streams need.
func (f *File) memory(m Machine) string {
	streams, _ := f.connections()
	return fmt.Sprintf("%d streams need about %d MB, at %d KiB each, this machine has %d MB: take fewer clients, or a machine with more",
		streams, f.memoryMB(m), f.streamsKiB(m)/max(1, streams), m.MemoryMB)
}

func (f *File) memoryMB(m Machine) int { return f.streamsKiB(m) / 1000 }

// streamsKiB is what all streams take, in the generator and, when that is on this machine, in the target.
func (f *File) streamsKiB(m Machine) int {
	sum := 0
	for i := range f.Clients {
		each := generatorStreamKiB
		if m.Looped != nil && m.Looped(i) {
			each = loopedStreamKiB
		}
		if f.Server.URL == nil {
			each += targetStreamKiB
		}
		if f.Clients[i].Streams {
			sum += f.Clients[i].Count * each
		}
	}
	return sum
}

// perNode counts the connections to one address.
func (f *File) perNode() int {
	_, connections := f.connections()
	nodes := 1
	if f.Server.URL == nil {
		nodes = max(1, f.Server.Bundled.Nodes)
	}
	return (connections + nodes - 1) / nodes
}

// portShare is the share of the local ports of one address that a run takes before it takes another address too: some belong to
// other programs, and one whose connection has ended is free again only a minute later.
const portShare = 0.7

// Sources says from how many addresses of this machine the connections of a run are to come: from one, unless they are so many that
// the local ports of one would not suffice and the server is on this machine, where there are 16 million addresses (127.0.0.0/8).
func (f *File) Sources(m Machine) int {
	if m.Ports == 0 || !m.ManyLoopback || !f.onLoopback() {
		return 1
	}
	each := max(1, int(portShare*float64(m.Ports)))
	return min((f.perNode()+each-1)/each, maxSources)
}

// maxSources is 127.0.0.1 to 127.0.255.254, of which some are left out.
const maxSources = 1 << 15

// onLoopback says whether the server has an address of 127.0.0.0/8.
func (f *File) onLoopback() bool {
	if f.Server.URL == nil {
		return true
	}
	host := f.Server.URL.Hostname()
	ip := net.ParseIP(host)
	return IsLoopback(host) && (ip == nil || ip.To4() != nil)
}

// IsLoopback says whether a host is this machine, by its name or its address.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
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
				senders = max(senders, l.Only*c.lanes(max(1, l.InFlight))) // always the first of the group: they keep their connections from load to load
			}
		}
		all += senders
	}
	for _, l := range f.Load {
		all += l.Workers
	}
	return streams, all + streams
}
