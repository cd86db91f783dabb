package clients

import (
	"fmt"
	"slices"
	"testing"

	"holobench/history"
)

// FuzzGenericStream holds that it does not matter where the bytes of a described stream were cut.
func FuzzGenericStream(f *testing.F) {
	f.Add([]byte("event: hello\ndata: {\"id\":\"1\"}\n\nid: 7\ndata: "+markerOf(7, 1)+"\n\n: hb\n\nevent: odd\ndata: x\n\n"), byte(0))
	f.Add([]byte("{\"m\":\""+markerOf(7, 1)+"\"}\n\n\r\n"+markerOf(7, 2)+"\nrest"), byte(1))
	f.Add([]byte(markerOf(7, 1)), byte(2))
	f.Add([]byte("x hb1.hb1."+markerOf(7, 1)+markerOf(7, 2)+"hb1.00c0ffee.c1"), byte(3))
	f.Add([]byte("id: 9\ndata: {\"id\":\"r9\"}\n\nid: 7\ndata: x\n\n"), byte(4))
	f.Fuzz(func(t *testing.T, body []byte, framing byte) {
		by := []Framing{FrameSSE, FrameNDJSON, FrameLongPoll, FrameRaw}[framing%4]
		want, wantErr := fedInPieces(by, body, len(body))
		for _, size := range []int{1, 7} {
			got, err := fedInPieces(by, body, size)
			if !slices.Equal(got, want) || (err == nil) != (wantErr == nil) {
				t.Fatalf("%s in pieces of %d: %v, %v\nwhole: %v, %v", by, size, got, err, want, wantErr)
			}
		}
	})
}

// fedInPieces is what a receiver notes of a stream of that body.
func fedInPieces(by Framing, body []byte, size int) (told []string, err error) {
	crowd := &Crowd{Addr: "x:80", Run: testRun, Names: new(history.Names), Observe: func([]history.Observation) {}, Wire: Described}
	crowd.Own.Generic = &Generic{
		Request: step("GET", "/", ""), Framing: by, Ignore: []Rule{called("noise")}, Disconnect: []Rule{called("bye")}, Message: called("message"),
		Foreign: byID, Numbered: true, Succession: Increasing, Node: plainText("${header.content-type}"),
	}
	s := newStream(crowd.NewClient(ClientOptions{ID: 3, Channels: []string{"room"}}))
	s.reading = new(reading)
	s.hear("room")
	r := newGenericReceiver(s)
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + fmt.Sprint(len(body)+1) + "\r\n\r\n"
	if err = r.feed([]byte(head)); err != nil {
		return nil, err
	}
	for rest := body; len(rest) > 0 && err == nil; {
		n := min(max(1, size), len(rest))
		err = r.feed(rest[:n])
		rest = rest[n:]
	}
	for _, o := range s.batch {
		told = append(told, fmt.Sprint(o.Kind, o.Event, crowd.Names.Name(uint32(o.Err))))
	}
	return told, err
}
