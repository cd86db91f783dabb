package main

import (
	"testing"

	"holobench/wire"
)

func TestStampSource(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flag   string
		kernel bool
		want   wire.StampSource
		err    string
	}{
		{"", true, wire.StampKernel, ""},
		{"", false, wire.StampUser, ""},
		{"kernel", true, wire.StampKernel, ""},
		{"kernel", false, 0, "--stamps kernel: this system does not stamp what arrives on a TCP connection, Linux does (leave --stamps out, or say --stamps user)"},
		{"user", true, wire.StampUser, ""},
		{"hardware", true, 0, `--stamps "hardware": it must be kernel or user`},
	} {
		got, err := stampSource(c.flag, c.kernel)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != c.want || text != c.err {
			t.Errorf("--stamps %q with kernel stamps %v: %v, %v", c.flag, c.kernel, got, err)
		}
	}
}
