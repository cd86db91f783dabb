package scenarios
import ("testing";"fmt";"strings";"time"
"github.com/goccy/go-yaml/lexer"
"github.com/goccy/go-yaml/parser"
"github.com/goccy/go-yaml/ast"
)
func dump(n ast.Node, d int){
 tk:=n.GetToken()
 fmt.Printf("%s%T %q type=%v %d:%d off=%d origin=%q\n", strings.Repeat(" ",d), n, tk.Value, tk.Type, tk.Position.Line, tk.Position.Column, tk.Position.Offset, tk.Origin)
 switch n:=n.(type){
 case *ast.MappingNode: for _,v:=range n.Values{dump(v,d+1)}
 case *ast.MappingValueNode: dump(n.Key,d+1); if n.Value!=nil {dump(n.Value,d+1)}
 case *ast.SequenceNode: for _,v:=range n.Values{dump(v,d+1)}
 case *ast.AnchorNode: dump(n.Name,d+1);dump(n.Value,d+1)
 case *ast.AliasNode: dump(n.Value,d+1)
 case *ast.TagNode: dump(n.Value,d+1)
 }
}
func TestPoke(t *testing.T){
 src:="# hi ü\nversion: 1\nname: \"dé\\nmo\"\nx: {a: 2_000, b: lognormal(2ms, 0.5), c: 'q''q', \"k{a:b}\": [\"p(99)<250ms\", max<2s]}\nbudgets:\n  fanout_latency{window:steady,path:sse}: [\"a\"]\n  base: &b {count: 1}\n  m:\n    <<: *b\n    d: 0s..5s\n  e:\n  f: |\n    hello\n    you\n  g: \"fold\n     ed\"\n  plain: one\n    two\n  true: 1\n"
 f,err:=parser.ParseBytes([]byte(src),0, parser.AllowDuplicateMapKey())
 if err!=nil {fmt.Printf("%T %v\n",err,err); return}
 for _,d:=range f.Docs { dump(d.Body,0)}
}
func TestCost(t *testing.T){
 for name,s:=range map[string]string{
  "flow": strings.Repeat("[",2000), "flowbal":strings.Repeat("[",1000)+strings.Repeat("]",1000),
  "seq": strings.Repeat("- ",3000)+"a", "q": strings.Repeat("? ",3000)+"a", "anch": strings.Repeat("&a ",3000)+"a","tag": strings.Repeat("!!a ",3000)+"a",
  "keys": func() string{ b:=""; for i:=0;i<3000;i++{ b+=fmt.Sprintf("k%d: 1\n",i)}; return b}(),
  "long": "a: "+strings.Repeat("x",64000), "quoted":"a: \""+strings.Repeat("x",64000)+"\"", "flowmap":"{"+strings.Repeat("a: ",3000)+"}",
  "nl": strings.Repeat("\n",64000), "comment": strings.Repeat("# x\n",16000), "plainml":"a: "+strings.Repeat("x\n  ",16000),"commas":"["+strings.Repeat(",",16000)+"]","colons":strings.Repeat(":",16000),"lit":"a: |\n"+strings.Repeat("  x\n",16000),
 }{
  t0:=time.Now(); tk:=lexer.Tokenize(s); t1:=time.Since(t0)
  t0=time.Now(); func(){ defer func(){ if r:=recover();r!=nil{fmt.Println("PANIC",r)}}(); _,err:=parser.Parse(tk,0,parser.AllowDuplicateMapKey()); es:=fmt.Sprintf("%T",err); fmt.Printf("%-8s %d bytes, lex %v parse %v %s\n",name,len(s),t1,time.Since(t0),es)}()
 }
}
