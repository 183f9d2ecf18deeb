package main

import (
	"fmt"
	"html"
	"regexp"
	"strings"
)

// page is a report that is written twice: as Markdown, and as one HTML file that needs nothing else. Texts may hold **bold**, `code` and [links](to).
type page struct {
	title  string
	blocks []block
}

// block is one of its fields.
type block struct {
	heading string
	text    string
	items   []string
	table   *grid
	chart   *chart
}

// grid has texts on the left of its first column and figures in the others.
type grid struct {
	head []string
	rows [][]string
}

func (t *grid) add(cells ...string) { t.rows = append(t.rows, cells) }

// chart shows shares as bars. Its figures stand in a table too, so that it is left out of Markdown.
type chart struct {
	title string
	bars  []bar
	aim   float64 // a line; 0: none
}

type bar struct {
	name   string
	value  spread
	strong bool
}

func (p *page) section(title string) { p.blocks = append(p.blocks, block{heading: title}) }
func (p *page) say(text string)      { p.blocks = append(p.blocks, block{text: text}) }
func (p *page) table(t grid)         { p.blocks = append(p.blocks, block{table: &t}) }
func (p *page) chart(c chart)        { p.blocks = append(p.blocks, block{chart: &c}) }

// list goes on with the list before it, if there is one.
func (p *page) list(items ...string) {
	if n := len(p.blocks); n > 0 && len(p.blocks[n-1].items) > 0 {
		p.blocks[n-1].items = append(p.blocks[n-1].items, items...)
	} else if len(items) > 0 {
		p.blocks = append(p.blocks, block{items: items})
	}
}

func (p *page) markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n", p.title)
	for _, b := range p.blocks {
		switch {
		case b.heading != "":
			fmt.Fprintf(&out, "\n## %s\n", b.heading)
		case b.text != "":
			fmt.Fprintf(&out, "\n%s\n", b.text)
		case len(b.items) > 0:
			out.WriteString("\n- " + strings.Join(b.items, "\n- ") + "\n")
		case b.table != nil:
			fmt.Fprintf(&out, "\n| %s |\n|---%s|\n", strings.Join(b.table.head, " | "), strings.Repeat("|--:", len(b.table.head)-1))
			for _, row := range b.table.rows {
				fmt.Fprintf(&out, "| %s |\n", strings.Join(row, " | "))
			}
		}
	}
	return out.String()
}

func (p *page) html() string {
	var out strings.Builder
	fmt.Fprintf(&out, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n<style>%s</style>\n<main>\n<h1>%[1]s</h1>\n",
		html.EscapeString(p.title), pageStyle)
	for _, b := range p.blocks {
		switch {
		case b.heading != "":
			fmt.Fprintf(&out, "<h2>%s</h2>\n", inline(b.heading))
		case b.text != "":
			fmt.Fprintf(&out, "<p>%s</p>\n", inline(b.text))
		case len(b.items) > 0:
			out.WriteString("<ul>\n")
			for _, item := range b.items {
				fmt.Fprintf(&out, "<li>%s</li>\n", inline(item))
			}
			out.WriteString("</ul>\n")
		case b.table != nil:
			out.WriteString("<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr>")
			for _, h := range b.table.head {
				fmt.Fprintf(&out, "<th scope=\"col\">%s</th>", inline(h))
			}
			out.WriteString("</tr></thead>\n")
			for _, row := range b.table.rows {
				fmt.Fprintf(&out, "<tr><th scope=\"row\">%s</th>", inline(row[0]))
				for _, cell := range row[1:] {
					fmt.Fprintf(&out, "<td>%s</td>", inline(cell))
				}
				out.WriteString("</tr>\n")
			}
			out.WriteString("</table></div>\n")
		case b.chart != nil:
			out.WriteString(b.chart.svg())
		}
	}
	out.WriteString("</main>\n</html>\n")
	return out.String()
}

var (
	boldText = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	codeText = regexp.MustCompile("`([^`]+)`")
	linkText = regexp.MustCompile(`\[([^\]]+)\]\(([^)]+)\)`)
)

func inline(text string) string {
	text = html.EscapeString(text)
	text = boldText.ReplaceAllString(text, "<strong>$1</strong>")
	text = codeText.ReplaceAllString(text, "<code>$1</code>")
	return linkText.ReplaceAllString(text, `<a href="$2">$1</a>`)
}

const chartLeft, chartWide, chartRow = 210.0, 400.0, 22.0

func (c *chart) svg() string {
	var out strings.Builder
	height := chartRow*float64(len(c.bars)) + 20
	at := func(v float64) float64 { return chartLeft + chartWide*max(0, min(v, 1)) }
	fmt.Fprintf(&out, "<figure><figcaption>%s</figcaption>\n<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s; the table below holds the figures\">\n",
		inline(c.title), chartLeft+chartWide+60, height, html.EscapeString(c.title))
	for i, b := range c.bars {
		top, class := chartRow*float64(i), "bar"
		if b.strong {
			class += " strong"
		}
		fmt.Fprintf(&out, "<text class=\"name\" x=\"%g\" y=\"%g\">%s</text><rect class=\"track\" x=\"%g\" y=\"%g\" width=\"%g\" height=\"12\"/><rect class=\"%s\" x=\"%[4]g\" y=\"%[5]g\" width=\"%.1[8]f\" height=\"12\"/>",
			chartLeft-8, top+15, html.EscapeString(b.name), chartLeft, top+5, chartWide, class, at(b.value.mean)-chartLeft)
		if b.value.high > b.value.low {
			fmt.Fprintf(&out, "<path class=\"range\" d=\"M%.1f %gH%.1f\"/>", at(b.value.low), top+11, at(b.value.high))
		}
		fmt.Fprintf(&out, "<text x=\"%g\" y=\"%g\">%.2f</text>\n", chartLeft+chartWide+8, top+15, b.value.mean)
	}
	if c.aim > 0 {
		fmt.Fprintf(&out, "<path class=\"aim\" d=\"M%.1f 0V%g\"/><text class=\"axis\" x=\"%.1f\" y=\"%g\">aim %.2f</text>\n", at(c.aim), height-18, at(c.aim), height-5, c.aim)
	}
	out.WriteString("</svg></figure>\n")
	return out.String()
}

// The colours are those of the program's own pages.
const pageStyle = `
:root { color-scheme: light dark; --paper: light-dark(#f3f5f4, #0f1513); --surface: light-dark(#fff, #171f1c); --sunken: light-dark(#eaeeec, #0b110f); --line: light-dark(#d8dedb, #2c3733);
  --edge: light-dark(#7d8983, #74827b); --ink: light-dark(#14201c, #e9efec); --ink-2: light-dark(#43504b, #b8c4be); --accent: light-dark(#0a5a64, #74cbd5); --crit: light-dark(#a31a1a, #ff968c) }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 Plex, "IBM Plex Sans", system-ui, sans-serif }
main { max-width: 72rem; margin: 0 auto; padding: 24px 16px 64px }
h1 { font-size: 1.75rem; margin: 0 0 8px } h2 { font-size: 1.25rem; margin: 40px 0 8px }
p, li { max-width: 48rem } code { font-size: .9em; overflow-wrap: anywhere } a { color: var(--accent) }
.wide { overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 8px }
table { border-collapse: collapse; width: 100%; font-size: .875rem; font-variant-numeric: tabular-nums }
th, td { padding: 5px 12px; text-align: right; border-top: 1px solid var(--line) } thead th { border: 0; color: var(--ink-2); vertical-align: bottom }
th:first-child { text-align: left } th[scope=row] { font-weight: 400 } td strong { color: var(--crit) }
figure { margin: 16px 0; max-width: 44rem } figcaption { color: var(--ink-2); margin-bottom: 4px } svg { width: 100%; height: auto; display: block }
text { font-size: 12.5px; fill: var(--ink) } .name { text-anchor: end } .axis { text-anchor: middle; fill: var(--ink-2) }
.track { fill: var(--sunken) } .bar { fill: var(--edge) } .strong { fill: var(--accent) } .range { stroke: var(--ink); stroke-width: 2 } .aim { stroke: var(--crit); stroke-dasharray: 3 3 }
@media print { .wide { overflow: visible } }
`
