package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/holdfast-pay/holdfast"

// A source is what the rules need to know about one Go file.
type source struct {
	file    string // relative to the module root, with slashes
	dir     string // the package's path relative to the module root
	pkg     string // the name in the package clause
	test    bool
	imports []string
	clock   []string // functions of package time that it uses and that clockFunctions names
	tags    []string // struct tags that refusedTags names
}

// TestRulesHold checks every Go file of the module.
func TestRulesHold(t *testing.T) {
	sources, err := readModule(moduleRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) == 0 {
		t.Fatal("no Go files found: the test looks in the wrong place")
	}
	for _, complaint := range check(sources) {
		t.Error(complaint)
	}
}

// TestRulesCanFail breaks each kind of rule once and expects the complaint, so that a
// checker that has gone blind is noticed.
func TestRulesCanFail(t *testing.T) {
	cases := []struct {
		name string
		src  source
		want string
	}{
		{"ground imports ours", lib("internal/money", module+"/internal/fault"), "ground may not import internal/fault"},
		{"rule imports a database", lib("internal/escrow", "database/sql"), "pure package may not import database/sql"},
		{"rule imports a context", lib("internal/settle", "context"), "pure package may not import context"},
		{"rule imports a library", lib("internal/ledger", "github.com/google/uuid"), "pure package may not import github.com/google/uuid"},
		{"rule reads the clock", source{dir: "internal/escrow", clock: []string{"Now"}}, "pure package may not use time.Now"},
		{"rule carries a tag", source{dir: "internal/escrow", tags: []string{"json"}}, "pure package may not carry json tags"},
		{"store imports app", lib("internal/store", module+"/internal/app"), "store may not import internal/app"},
		{"app imports a port", lib("internal/app", module+"/internal/rail/bank"), "app may not import internal/rail/bank"},
		{"port imports a rail", lib("internal/rail/bank", module+"/internal/rail/bank/simbank"), "ports may not import internal/rail/bank/simbank"},
		{"rail imports app", lib("internal/rail/bank/simbank", module+"/internal/app"), "border: internal/app"},
		{"edge imports store", lib("internal/web/console", module+"/internal/store"), "border: internal/store"},
		{"page imports page", lib("internal/web/console", module+"/internal/web/decide"), "console may not import internal/web/decide"},
		{"v1 imports v2", lib("internal/api/apiv1", module+"/internal/wire/wirev2"), "border: internal/wire/wirev2"},
		{"v1 test imports v2", source{dir: "internal/api/apiv1", test: true, imports: []string{module + "/internal/api/apiv2"}}, "border: internal/api/apiv2"},
		{"command line names a rail", lib("cmd/holdfast", module+"/internal/rail/bank/simbank"), "border: internal/rail/bank/simbank"},
		{"api imports sandbox", lib("internal/api/apiv1", module+"/internal/sandbox"), "border: internal/sandbox"},
		{"wire imports http", lib("internal/wire/wirev1", "net/http"), "net/http is kept out"},
		{"console imports sql", lib("internal/web/console", "database/sql"), "database/sql is kept out"},
		{"client imports ours", lib("client", module+"/internal/money"), "go client may not import internal/money"},
		{"client imports a library", lib("client", "github.com/google/uuid"), "go client may not import github.com/google/uuid"},
		{"unknown package", lib("internal/novelty"), "belongs to no group"},
		{"empty name", source{dir: "internal/app/helpers", pkg: "helpers"}, "says nothing"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := check([]source{c.src})
			if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("complaints %q do not contain %q", got, c.want)
			}
		})
	}
}

// TestRulesAllow holds that what the house is built on raises no complaint.
func TestRulesAllow(t *testing.T) {
	sources := []source{
		lib("internal/escrow", module+"/internal/money", module+"/internal/ledger", "fmt", "time"),
		lib("internal/clock", "context", "time"),
		lib("internal/api/apiv1", module+"/internal/app", module+"/internal/wire/wirev1", "net/http"),
		lib("internal/serve", module+"/internal/rail/bank/simbank", module+"/internal/store"),
		{dir: "internal/escrow", test: true, imports: []string{"pgregory.net/rapid", "os", "testing"}},
	}
	sources[1].clock = []string{"Now", "NewTimer"}
	for _, complaint := range check(sources) {
		t.Error(complaint)
	}
}

// TestReadFile holds that the reader sees what the rules are about.
func TestReadFile(t *testing.T) {
	root := t.TempDir()
	writeFile(t, root, "go.mod", "module "+module)
	writeFile(t, root, "internal/escrow/escrow.go", `package escrow
import (
	"fmt"
	clk "time"
)
type row struct {
	ID string `+"`json:\"id\" db:\"id\"`"+`
}
var at = clk.Now
var d clk.Duration
var _ = fmt.Sprint
`)
	writeFile(t, root, "internal/escrow/escrow_test.go", "package escrow")
	writeFile(t, root, "node_modules/flatted/main.go", "package main")
	writeFile(t, root, "internal/escrow/testdata/x.go", "not Go at all")
	writeFile(t, root, "tools/go.mod", "module tools")
	writeFile(t, root, "tools/main.go", "package main")

	sources, err := readModule(root)
	if err != nil {
		t.Fatal(err)
	}
	want := []source{
		{file: "internal/escrow/escrow.go", dir: "internal/escrow", pkg: "escrow", imports: []string{"fmt", "time"}, clock: []string{"Now"}, tags: []string{"json", "db"}},
		{file: "internal/escrow/escrow_test.go", dir: "internal/escrow", pkg: "escrow", test: true},
	}
	if !reflect.DeepEqual(sources, want) {
		t.Errorf("read\n%+v\nwant\n%+v", sources, want)
	}
}

// TestGroupsAreDisjoint holds that no package can be judged by two groups.
func TestGroupsAreDisjoint(t *testing.T) {
	for i, g := range groups {
		for _, other := range groups[i+1:] {
			for _, p := range g.packages {
				if !strings.HasSuffix(p, "/*") && matches(other.packages, p) {
					t.Errorf("%s is in %q and in %q", p, g.name, other.name)
				}
			}
		}
	}
}

// check returns one complaint for each rule that a source breaks.
func check(sources []source) []string {
	var complaints []string
	for _, s := range sources {
		g := groupOf(s.dir)
		if g == nil {
			complaints = append(complaints, fmt.Sprintf("%s: package %s belongs to no group of rules_test.go: add it there with the reason", s.file, s.dir))
			continue
		}
		complaints = append(complaints, checkBorders(s)...)
		if slices.Contains(emptyNames, s.pkg) {
			complaints = append(complaints, fmt.Sprintf("%s: the name %s says nothing about what is inside", s.file, s.pkg))
		}
		if s.test {
			continue
		}
		complaints = append(complaints, checkGroup(s, g)...)
		complaints = append(complaints, checkForeign(s)...)
		if g.pure {
			complaints = append(complaints, checkPure(s)...)
		}
	}
	return complaints
}

func checkBorders(s source) []string {
	var complaints []string
	for _, b := range borders {
		if !matches(b.from, s.dir) || (s.test && !b.tests) {
			continue
		}
		for _, imp := range s.imports {
			if dir, ours := strings.CutPrefix(imp, module+"/"); ours && matches(b.to, dir) {
				complaints = append(complaints, fmt.Sprintf("%s: border: %s may not be imported from %s: %s", s.file, dir, s.dir, b.why))
			}
		}
	}
	return complaints
}

func checkGroup(s source, g *group) []string {
	var complaints []string
	for _, imp := range s.imports {
		if dir, ours := strings.CutPrefix(imp, module+"/"); ours && !matches(g.mayImport, dir) {
			complaints = append(complaints, fmt.Sprintf("%s: %s may not import %s: %s", s.file, g.name, dir, g.why))
		}
		if first, _, _ := strings.Cut(imp, "/"); g.alone && strings.Contains(first, ".") && !strings.HasPrefix(imp, module+"/") {
			complaints = append(complaints, fmt.Sprintf("%s: %s may not import %s: %s", s.file, g.name, imp, g.why))
		}
	}
	return complaints
}

func checkForeign(s source) []string {
	var complaints []string
	for _, f := range foreigns {
		if matches(f.onlyIn, s.dir) {
			continue
		}
		for _, imp := range s.imports {
			if matches(f.imports, imp) {
				complaints = append(complaints, fmt.Sprintf("%s: %s is kept out of %s: %s", s.file, imp, s.dir, f.why))
			}
		}
	}
	return complaints
}

func checkPure(s source) []string {
	var complaints []string
	complain := func(what, why string) {
		complaints = append(complaints, fmt.Sprintf("%s: pure package may not %s: %s", s.file, what, why))
	}
	for _, imp := range s.imports {
		first, _, _ := strings.Cut(imp, "/")
		why, forbidden := pureForbidden[imp]
		switch {
		case imp == "context" && s.dir == realClock:
		case slices.Contains(pureAllowed[s.dir], imp):
		case forbidden:
			complain("import "+imp, why)
		case strings.Contains(first, ".") && !strings.HasPrefix(imp, module+"/"):
			complain("import "+imp, "a pure package uses the standard library alone")
		}
	}
	if s.dir != realClock {
		for _, f := range s.clock {
			complain("use time."+f, "time is an argument; only "+realClock+" reads the machine's clock")
		}
	}
	for _, tag := range s.tags {
		complain("carry "+tag+" tags", "shapes belong to wire and tables to store")
	}
	return complaints
}

func groupOf(dir string) *group {
	for i := range groups {
		if matches(groups[i].packages, dir) {
			return &groups[i]
		}
	}
	return nil
}

// matches tells whether a path is one of the patterns: equal to it, or below it when the
// pattern ends in "/*".
func matches(patterns []string, p string) bool {
	for _, pattern := range patterns {
		if above, ok := strings.CutSuffix(pattern, "/*"); ok {
			if strings.HasPrefix(p, above+"/") {
				return true
			}
		} else if p == pattern {
			return true
		}
	}
	return false
}

// readModule reads every Go file below root, without those of other modules and those that
// the go command ignores.
func readModule(root string) ([]source, error) {
	var sources []source
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if file != root && ignored(file, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		s, err := readFile(root, file)
		if err != nil {
			return err
		}
		sources = append(sources, s)
		return nil
	})
	return sources, err
}

func ignored(dir, name string) bool {
	if name == "node_modules" || name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func readFile(root, file string) (source, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	rel, err := filepath.Rel(root, file)
	if err != nil {
		return source{}, err
	}
	rel = filepath.ToSlash(rel)
	s := source{file: rel, dir: path.Dir(rel), pkg: parsed.Name.Name, test: strings.HasSuffix(rel, "_test.go")}
	timeName := ""
	for _, spec := range parsed.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, fmt.Errorf("%s: %w", rel, err)
		}
		s.imports = append(s.imports, imp)
		if imp == "time" {
			timeName = "time"
			if spec.Name != nil {
				timeName = spec.Name.Name
			}
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch node := n.(type) {
		case *ast.SelectorExpr:
			if of, ok := node.X.(*ast.Ident); ok && timeName != "" && of.Name == timeName && slices.Contains(clockFunctions, node.Sel.Name) {
				s.clock = append(s.clock, node.Sel.Name)
			}
		case *ast.Field:
			s.tags = append(s.tags, tagsOf(node)...)
		}
		return true
	})
	return s, nil
}

func tagsOf(field *ast.Field) []string {
	if field.Tag == nil {
		return nil
	}
	text, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return nil
	}
	var found []string
	for _, key := range refusedTags {
		if _, ok := reflect.StructTag(text).Lookup(key); ok {
			found = append(found, key)
		}
	}
	return found
}

// moduleRoot is the nearest folder above the test that holds go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}

func lib(dir string, imports ...string) source {
	return source{file: dir + "/x.go", dir: dir, pkg: path.Base(dir), imports: imports}
}

func writeFile(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
