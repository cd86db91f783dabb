package clients

import "syscall"

// bindAddressNoPort is IP_BIND_ADDRESS_NO_PORT, which package syscall does not name: see ip(7).
const bindAddressNoPort = 24

func noPortYet(fd uintptr) error {
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, bindAddressNoPort, 1)
}
