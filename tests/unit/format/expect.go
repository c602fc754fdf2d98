// expect.go - what Go's own text/template makes of the templates in cases.json, or of random ones
//
//	go run expect.go cases.json              prints [{"template": ..., "output": ...}, ...]; no output: an error
//	go run expect.go SEED COUNT              the same of random templates
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"text/template"
)

type result struct {
	Template string  `json:"template"`
	Output   *string `json:"output,omitempty"`
}

// Docker's functions (github.com/docker/cli/templates).
var functions = template.FuncMap{
	"json": func(v interface{}) string {
		buf := &bytes.Buffer{}
		enc := json.NewEncoder(buf)
		enc.SetEscapeHTML(false)
		enc.Encode(v)
		return strings.TrimSpace(buf.String())
	},
	"split": func(s, sep string) []interface{} {
		var list []interface{}
		for _, v := range strings.Split(s, sep) {
			list = append(list, v)
		}
		return list
	},
	"join": func(list []interface{}, sep string) (string, error) {
		var words []string
		for _, v := range list {
			s, ok := v.(string)
			if !ok {
				return "", fmt.Errorf("not a string: %v", v)
			}
			words = append(words, s)
		}
		return strings.Join(words, sep), nil
	},
	"title": strings.Title,
	"lower": strings.ToLower,
	"upper": strings.ToUpper,
	"pad": func(s string, before, after int) string {
		if s == "" {
			return s
		}
		return strings.Repeat(" ", before) + s + strings.Repeat(" ", after)
	},
	"truncate": func(s string, n int) string {
		if len(s) < n {
			n = len(s)
		}
		return s[:n]
	},
}

// Numbers have the types that fields of Docker's structs have.
func typed(v interface{}) interface{} {
	switch t := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(t.String(), 10, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseUint(t.String(), 10, 64); err == nil {
			return n
		}
		f, _ := t.Float64()
		return f
	case []interface{}:
		for i := range t {
			t[i] = typed(t[i])
		}
	case map[string]interface{}:
		for k := range t {
			t[k] = typed(t[k])
		}
	}
	return v
}

func run(text string, data interface{}) result {
	var out bytes.Buffer
	t, err := template.New("").Funcs(functions).Option("missingkey=error").Parse(text)
	if err == nil {
		err = t.Execute(&out, data)
	}
	if err != nil {
		return result{Template: text}
	}
	s := out.String()
	return result{text, &s}
}

// --- random templates, most of which are right

type maker struct {
	*rand.Rand
	blocks int
	closed []string
}

func (m *maker) pick(list ...string) string { return list[m.Intn(len(list))] }

func (m *maker) str() string {
	switch m.Intn(5) {
	case 0:
		return m.pick(`"a"`, `"b c"`, "`raw`", `","`, `""`)
	case 1:
		return "(upper " + m.pick(".Name", ".Created") + ")"
	case 2:
		return `(printf ` + m.pick(`"%s-%d" .Name 3`, `"%q" .Name`, `"%5d|%-4d" .Pid 7`, `"%v" .Deep`) + `)`
	case 3:
		return "(index .Config.Env " + m.pick("0", "1", "2", "3") + ")"
	}
	return m.pick(".Name", ".Created", ".Deep.a.b.c", "$.Name")
}

func (m *maker) num() string {
	return m.pick("1", "-7", "0", "0x10", "(len .Name)", "(len .Config.Env)", "(len .Nope)")
}

func (m *maker) cond() string {
	switch m.Intn(7) {
	case 0:
		return "eq " + m.str() + " " + m.str()
	case 1:
		return m.pick("lt", "le", "gt", "ge", "ne") + " " + m.num() + " " + m.num()
	case 2:
		return m.pick("and", "or") + " (" + m.cond() + ") (" + m.cond() + ")"
	case 3:
		return "not (" + m.cond() + ")"
	case 4:
		return m.str() + " | " + m.pick("lower", "title", "len", `printf "%s"`, "upper | lower",
			"html", "js", "urlquery")
	}
	return m.pick(".Running", ".Stopped", ".Nothing", ".Zero", ".Config.Empty", ".Config.None", ".Pid")
}

func (m *maker) open() string  { return m.pick("{{", "{{", "{{", "{{- ") }
func (m *maker) close() string { return m.pick("}}", "}}", "}}", " -}}") }

func (m *maker) action(s string) string { return m.open() + s + m.close() }

func (m *maker) body(depth int) string {
	var b strings.Builder
	for n := m.Intn(4); n >= 0; n-- {
		b.WriteString(m.pick("", " ", "text\n", "\n  x "))
		b.WriteString(m.part(depth))
	}
	return b.String()
}

func (m *maker) part(depth int) string {
	kind := m.Intn(10)
	if depth == 0 && kind > 4 {
		kind = 4
	}
	if kind == 9 {
		m.blocks++
		name := fmt.Sprintf("\"b%d\" ", m.blocks)
		block := m.action("block "+name+".") + m.body(depth-1) + m.action("end")
		m.closed = append(m.closed, name) // only such are called: nothing calls itself
		return block + m.action("template "+m.pick(m.closed...)+m.pick(".", "$", ".Name"))
	}
	end := m.action("end")
	switch kind {
	case 0:
		return m.action(m.str())
	case 1:
		return m.action(m.pick("json ", "print ", "println ", "len ", "") + m.pick(".", ".Config", ".Args", ".Ports"))
	case 2:
		return m.action(m.pick("print", "println") + " " + m.str() + " " + m.num() + " " + m.num())
	case 3:
		return m.action(m.pick(`join .Args ", "`, `split .Name "-"`, `join (split .Name "-") "+"`, "/* no */"))
	case 4:
		return m.action(m.pick("", "printf \"%v\" ") + "(" + m.cond() + ")")
	case 5:
		v := m.pick("$x", "$y")
		return m.action(v+" := "+m.str()) + m.body(depth-1) + m.action(m.pick(v, v+" = "+m.num()))
	case 6:
		s := m.action("if "+m.cond()) + m.body(depth-1)
		if m.Intn(3) == 0 {
			s += m.action("else if "+m.cond()) + m.body(depth-1)
		}
		if m.Intn(2) == 0 {
			s += m.action("else") + m.body(depth-1)
		}
		return s + end
	case 7:
		head := m.pick("range .Ports", "range $i, $p := .Ports", "range $p := .Config.Env",
			"range $k, $v := .Config.Labels", "range .Config.None", "range .Nothing")
		inside := m.pick("{{.}}", "{{$.Name}} ", "{{with .}}{{.}}{{end}}", "x",
			"{{.}}{{break}}", "{{if .}}{{continue}}{{end}}x")
		if strings.Contains(head, "$k") {
			inside += "{{$k}}={{$v}};"
		}
		return m.action(head) + inside + m.action("else") + m.body(depth-1) + end
	}
	return m.action("with "+m.pick(".Config", ".Nothing", "$w := .Name")) + m.pick("{{.}}", "{{$.Pid}}") +
		m.action("else") + m.body(depth-1) + end
}

func main() {
	var data interface{}
	var templates []string
	f, err := os.Open("data.json")
	if err != nil {
		panic(err)
	}
	dec := json.NewDecoder(f)
	dec.UseNumber()
	if err := dec.Decode(&data); err != nil {
		panic(err)
	}
	data = typed(data)
	if len(os.Args) == 3 {
		seed, _ := strconv.ParseInt(os.Args[1], 10, 64)
		count, _ := strconv.Atoi(os.Args[2])
		m := &maker{Rand: rand.New(rand.NewSource(seed))}
		for i := 0; i < count; i++ {
			m.blocks, m.closed = 0, nil
			templates = append(templates, m.body(3))
		}
	} else {
		text, err := os.ReadFile(os.Args[1])
		if err == nil {
			err = json.Unmarshal(text, &templates)
		}
		if err != nil {
			panic(err)
		}
	}
	var results []result
	for _, t := range templates {
		results = append(results, run(t, data))
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	enc.Encode(results)
}
