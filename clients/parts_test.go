package clients

import (
	"encoding/json"
	"maps"
	"testing"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/http1"
)

func TestParts(t *testing.T) {
	t.Parallel()
	c := (&Crowd{Addr: "server:80", Run: testRun, Names: new(history.Names)}).NewClient(ClientOptions{ID: 7, Instance: "c7"})
	body := func(parts ...http1.Field) map[string]any {
		p := plainPhrasing{client: c}
		p.request(&Message{Channel: "room", Name: "set", With: parts}, []byte("x"))
		var got map[string]any
		if err := json.Unmarshal(p.json, &got); err != nil {
			t.Fatalf("%s: %v", p.json, err)
		}
		return got
	}
	want := map[string]any{"instance": "c7", "channel": "room", "name": "set", "payload": "x"}
	if got := body(); !maps.Equal(got, want) {
		t.Errorf("without parts: %v", got)
	}
	want["key"], want["id"], want["base"], want["a \"quote\""] = "title", "17", 3.0, "b\n"
	if got := body(http1.Field{Name: "key", Value: "title"}, http1.Field{Name: "id", Value: "17"}, http1.Field{Name: "base", Value: "3"},
		http1.Field{Name: `a "quote"`, Value: "b\n"}); !maps.Equal(got, want) {
		t.Errorf("with parts: %v", got)
	}
	want["base"] = "three"
	if got := body(http1.Field{Name: "key", Value: "title"}, http1.Field{Name: "id", Value: "17"}, http1.Field{Name: "base", Value: "three"},
		http1.Field{Name: `a "quote"`, Value: "b\n"}); !maps.Equal(got, want) {
		t.Errorf("a base that is no number: %v", got)
	}
	var next wire.Command
	if others := setParts([]http1.Field{{Name: "base", Value: "0"}}, &next.Key, &next.ID, &next.Base); len(others) != 0 || next.Base == nil || *next.Base != 0 {
		t.Errorf("%v, %+v", others, next)
	}
}
