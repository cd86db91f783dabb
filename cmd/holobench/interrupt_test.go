package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// interruptedRole is the name under which the test binary waits for one Ctrl-C, as holobench does.
const interruptedRole = "holobench-interrupted"

// waitForInterrupt says when it listens, does what starting a first process does, and ends with 0 when it is told to, unless it was
// interrupted twice by then.
func waitForInterrupt() {
	ctx, stop := interruptible(os.Stderr)
	fmt.Fprintln(os.Stdout, "listening")
	os.FindProcess(os.Getpid())
	<-ctx.Done()
	fmt.Fprintln(os.Stdout, "interrupted")
	io.Copy(io.Discard, os.Stdin)
	stop()
	os.Exit(exitOK)
}

// TestVerifyInterrupt: one Ctrl-C is one, at whatever moment near the start of a first process it comes. Without the care that
// interruptible takes, 44 of 3,000 were two.
func TestVerifyInterrupt(t *testing.T) {
	if !*verify {
		t.Skip("starts 2,000 processes: make verify-interrupt")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	twice := 0
	for i := range 2000 {
		c := exec.Command(program)
		c.Args[0], c.SysProcAttr = interruptedRole, &syscall.SysProcAttr{Setpgid: true}
		in, inErr := c.StdinPipe()
		out, outErr := c.StdoutPipe()
		if inErr != nil || outErr != nil || c.Start() != nil {
			t.Fatal("a process could not be started")
		}
		said := bufio.NewReader(out)
		said.ReadString('\n')
		for began := time.Now(); time.Since(began) < time.Duration(i%100)*2*time.Microsecond; {
		}
		if err := syscall.Kill(-c.Process.Pid, syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		said.ReadString('\n')
		in.Close()
		if c.Wait() != nil {
			twice++
		}
	}
	if twice > 0 {
		t.Errorf("%d of 2,000 interrupts were heard twice", twice)
	}
}
