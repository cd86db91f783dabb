package proxy

import (
	"bytes"
	"testing"
)

func FuzzToxic(f *testing.F) {
	f.Add("latency", "downstream", `{"latency":100,"jitter":10}`)
	f.Add("delay", "both", `{"by":{"p50":40,"p99":200,"cap":900},"jitter":2,"hold":5}`)
	f.Add("reorder", "downstream", `{"share":0.5,"distance":3}`)
	f.Add("slicer", "upstream", `{"average_size":9,"size_variation":3,"delay":7}`)
	f.Fuzz(func(t *testing.T, kind, stream, attributes string) {
		one := Toxic{Type: kind, Stream: stream, Attributes: []byte(attributes)}
		if one.check() != nil {
			return
		}
		// What the API shows of a toxic can be given to it again, and means the same.
		again := Toxic{Type: kind, Stream: stream, Attributes: one.Attributes}
		if err := again.check(); err != nil || !bytes.Equal(again.Attributes, one.Attributes) {
			t.Errorf("%s became %s, and that %s, %v", attributes, one.Attributes, again.Attributes, err)
		}
	})
}

func FuzzUpstream(f *testing.F) {
	f.Add("http://127.0.0.1:4000")
	f.Add("https://app.example")
	f.Add("[::1]:80")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := parseUpstream(text)
		if err == nil && u.addr == "" {
			t.Errorf("%q goes nowhere: %+v", text, u)
		}
	})
}
