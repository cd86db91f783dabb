package hologram_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"holobench/wire/hologram"
)

func examplePage() hologram.Page {
	return hologram.Page{CSRFToken: "bW_a-sked", InstanceID: "0d4c", Receipts: []hologram.Receipt{
		{Channel: hologram.Atom("red"), CID: "page", Token: "SFM.1"},
		{Channel: hologram.Tuple(hologram.Atom("room"), hologram.Int(42)), CID: "list", Token: "SFM.2"},
	}}
}

func TestPage(t *testing.T) {
	t.Parallel()
	const want = `<script>
globalThis.Hologram ??= {};
globalThis.Hologram.csrfToken = "bW_a-sked";
globalThis.Hologram.instanceId = "0d4c";
</script>
<script>
globalThis.Hologram.pageMountData = (deps) => {
const Type = deps.Type;
return {
selfEchoes: Type.list([]),
subReceiptAdds: Type.list([Type.tuple([Type.atom("red"), Type.bitstring("page"), Type.bitstring("SFM.1")]), Type.tuple([Type.tuple([Type.atom("room"), Type.integer(42n)]), Type.bitstring("list"), Type.bitstring("SFM.2")])]),
subReceiptDrops: Type.list([])
};
};
</script>
`
	got := hologram.AppendPage(nil, examplePage())
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if read, err := hologram.ParsePage(got); err != nil || !reflect.DeepEqual(read, examplePage()) {
		t.Errorf("read %+v, %v", read, err)
	}
}

// foreign is a page as a server renders it, with the state of a component where %s stands.
const foreign = `<!DOCTYPE html><html><head><title>"csrfToken"</title>
    <script>
        globalThis.Hologram ??= {};
        globalThis.Hologram._pendingJsInteropActions = [];
        globalThis.Hologram.assetManifest = {"a.css": "/a-0.css"};
        globalThis.Hologram.csrfToken = "bW_a-sked";
        globalThis.Hologram.instanceId = "0d4c";
    </script>
    <script>
          globalThis.Hologram.pageMountData = (deps) => {
            const Type = deps.Type;

            return {
              componentRegistry: Type.map([[Type.bitstring("page"), Type.bitstring("%s")]]),
              pageModule: Type.atom("Elixir.App.Page"),
              pageParams: Type.functionCapture("A", "b", 1, [{guards: []}], context),
              selfEchoes: Type.list([]),
              subReceiptAdds: Type.list([Type.tuple([Type.atom("red"), Type.bitstring("page"), Type.bitstring("SFM.1")]), Type.tuple([Type.tuple([Type.atom("room"), Type.integer(42n)]), Type.bitstring("list"), Type.bitstring("SFM.2")])]),
              subReceiptDrops: Type.list([])
            };
          };
    </script></head><body>globalThis.Hologram.csrfToken = "forged"; subReceiptAdds: Type.list([])</body></html>`

func TestPageOfOthers(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"", "subReceiptAdds: Type.list([])", `\", subReceiptAdds: Type.list([])`, `\\`, `\\\", subReceiptAdds: `} {
		if got, err := hologram.ParsePage(fmt.Appendf(nil, foreign, state)); err != nil || !reflect.DeepEqual(got, examplePage()) {
			t.Errorf("%s: read %+v, %v", state, got, err)
		}
	}
}

func TestNoTextEndsTheScript(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 4))
	for _, text := range hardTexts() {
		if text == "" {
			continue
		}
		page := hologram.Page{CSRFToken: text, InstanceID: text, Receipts: []hologram.Receipt{{Channel: randomTerm(random, 3), CID: text, Token: text}}}
		got := string(hologram.AppendPage(nil, page))
		if strings.Count(got, "<") != 4 {
			t.Errorf("seed %d: %s", seed, got)
		}
		if read, err := hologram.ParsePage([]byte("<html>" + got)); err != nil || !reflect.DeepEqual(read, page) {
			t.Errorf("seed %d: %s: read %+v, %v", seed, got, read, err)
		}
	}
}

func TestPageErrors(t *testing.T) {
	t.Parallel()
	const hint = "; is it a page of Hologram, v0.9 or later, and not that of an error?"
	good := string(hologram.AppendPage(nil, examplePage()))
	change := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Errorf("%s stands nowhere", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for _, test := range []struct{ document, want string }{
		{``, `it has no globalThis.Hologram.csrfToken` + hint},
		{change(`instanceId`, `id`), `it has no globalThis.Hologram.instanceId` + hint},
		{change(`pageMountData`, `data`), `it has no globalThis.Hologram.pageMountData` + hint},
		{change(`subReceiptAdds:`, `adds:`), `at byte 512: it has no subReceiptAdds`},
		{change(`"bW_a-sked"`, `""`), `the token against forgery or the instance is empty`},
		{change(`"0d4c"`, `""`), `the token against forgery or the instance is empty`},
		{change(`"0d4c"`, `crypto.randomUUID()`), `at byte 115: found 'c' where '"' must stand`},
		{change(` = "0d4c"`, `("0d4c")`), `at byte 112: found '(' where '=' must stand`},
		{change(`"0d4c";`, `"0d4c`), `at byte 120: the text holds a line end that is not escaped`},
		{change(`Type.atom("red")`, `Type.pid("red")`), `at byte 289: found 'T' where a term must stand, as Type.atom("a"); functions, pids, ports and references are not read here`},
		{change(`Type.bitstring("page"), `, ``), `at byte 265: reading receipts: one is not a tuple of a channel, a component and a token`},
		{good[:strings.Index(good, `"page"`)+3], `at byte 323: the text has no end`},
		{good[:strings.Index(good, `subReceiptAdds`)] + `"`, `at byte 251: it has no subReceiptAdds`},
	} {
		got, err := hologram.ParsePage([]byte(test.document))
		if want := "reading a page: " + test.want; problem(err) != want || !reflect.DeepEqual(got, hologram.Page{}) {
			t.Errorf("%s\n got %v, %+v\nwant %s", test.document, err, got, want)
		}
	}
}
