package target

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"holobench/wire"
)

// FuzzCommand posts any body: it is taken and answered with what a client can read, or refused with a reason.
func FuzzCommand(f *testing.F) {
	for _, seed := range []string{
		`{"instance":"a","channel":"b","name":"message","payload":"hb1.00c0ffee.c17.s3.t25."}`, `{"channel":"\u0000"}`,
		`{"instance":"a","channel":"b","key":"k","id":"i","base":0,"payload":"v"}`, `{"channel":"b","base":-1}`,
		`{"channel":"b"}{}`, `[]`, ``, `{"channel":"\ud800"}`, `{"channel":1}`, strings.Repeat("[", 1000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, design := range Designs() {
			s, err := New(Options{Design: design, MaxBody: 1 << 10})
			if err != nil {
				t.Fatal(err)
			}
			recorder := httptest.NewRecorder()
			s.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, wire.CommandPath, strings.NewReader(string(body))))
			taken := s.counters.Get(CommandsAccepted) == 1
			switch recorder.Code {
			case http.StatusOK:
				var reply wire.Reply
				var receipt wire.Receipt
				err := errors.Join(json.Unmarshal(recorder.Body.Bytes(), &reply), json.Unmarshal(recorder.Body.Bytes(), &receipt))
				if err != nil || !taken || len(reply.Echo) != 0 || reply.Action.Status != "ok" && receipt.Seq+receipt.Version != 1 {
					t.Errorf("%q was answered %s (taken: %v): %v", body, recorder.Body, taken, err)
				}
			case http.StatusAccepted:
				if recorder.Body.Len() != 0 || !taken {
					t.Errorf("%q was answered %s (taken: %v)", body, recorder.Body, taken)
				}
			case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
				if taken || recorder.Body.Len() < 10 || s.counters.Get(CommandsRejected) != 1 {
					t.Errorf("%q was refused without a reason, or taken: %s", body, recorder.Body)
				}
			default:
				t.Errorf("%q was answered %d", body, recorder.Code)
			}
		}
	})
}

// FuzzSubscription parses any query: what is taken keeps to the limits, and means the same when it is asked again.
func FuzzSubscription(f *testing.F) {
	for _, seed := range []string{
		"instance=a&channel=b", "instance=a&channel=b&channel=b&channel=c", "instance=%00&channel=b", "channel=%ff&instance=a",
		"instance=a;channel=b", "instance=a&channel=%zz", "", "&&&=", "instance=%F0%9F%98%80&channel=+",
	} {
		f.Add(seed)
	}
	s, err := New(Options{MaxChannels: 4, MaxName: 8})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		sub, refused := s.parseSubscription(query, "")
		if refused != nil {
			if refused.status != http.StatusBadRequest || refused.text == "" {
				t.Errorf("%q was refused with %+v", query, refused)
			}
			return
		}
		if len(sub.channels) < 1 || len(sub.channels) > 4 {
			t.Errorf("%q gave %d channels", query, len(sub.channels))
		}
		for _, name := range append([]string{sub.instance}, sub.channels...) {
			if name == "" || len(name) > 8 || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
				t.Errorf("%q gave the name %q", query, name)
			}
		}
		again, refused := s.parseSubscription(url.Values{"instance": {sub.instance}, "channel": sub.channels}.Encode(), "")
		if refused != nil || again.instance != sub.instance || !slices.Equal(again.channels, sub.channels) {
			t.Errorf("%q gave %+v, and asked again %+v, %v", query, sub, again, refused)
		}
	})
}

// FuzzResumption reads any Last-Event-ID and any from: what is taken has a number for each channel, and can be served.
func FuzzResumption(f *testing.F) {
	for _, seed := range []struct{ id, from string }{
		{"", ""},
		{"0", ""},
		{"17,4", ""},
		{"", "3"},
		{"18446744073709551615", "1"},
		{"9223372036854775807", ""},
		{"-1", ""},
		{"1,", ","},
		{"\u0661", "+1"},
		{"1e3", "0x1"},
	} {
		f.Add(seed.id, seed.from, uint8(1))
		f.Add(seed.id, seed.from, uint8(2))
	}
	l := &channelLog{name: "room", replay: 4, limit: 1 << 20}
	for range 9 {
		l.append(&message{}, &publication{}, 0)
	}
	f.Fuzz(func(t *testing.T, lastEventID, from string, channels uint8) {
		var list []string
		if from != "" {
			list = strings.Split(from, ";")
		}
		r, refused := parseResumption(lastEventID, list, int(channels))
		switch {
		case refused != nil:
			if refused.status != http.StatusBadRequest || refused.text == "" {
				t.Errorf("%q, %q was refused with %+v", lastEventID, from, refused)
			}
		case r == nil:
			if lastEventID != "" || from != "" {
				t.Errorf("%q, %q was passed over", lastEventID, from)
			}
		case len(r) != int(channels):
			t.Errorf("%q, %q gave %v for %d channels", lastEventID, from, r, channels)
		}
		for _, number := range r {
			events, gap := l.since(number)
			want := number
			if gap != nil {
				want = gap.First
			}
			if number == 0 || len(events) > 0 && events[0].sequence != want {
				t.Errorf("from %d on, after the gap %v, there is %d", number, gap, events[0].sequence)
			}
		}
	})
}
