package e2e

import (
	"testing"
)

// The start page of the demonstration asks where one sits; a chart comes to paper by its button, and the page that comes is the print.
func TestSeatsAndPaper(t *testing.T) {
	nurse := browse(t, demo(t).base)
	nurse.open("/")
	nurse.says("Where you sit")
	nurse.fits("where-one-sits")
	nurse.do(nurse.spot("button:has([href$='#heart-pulse'])"))
	nurse.until(`location.pathname === '/day' && document.readyState === 'complete'`) // its name comes before its rows
	nurse.follow("[data-open]")
	nurse.fits("chart-with-print")
	nurse.follow("Print")
	nurse.says("This print is recorded")
	nurse.fits("print")
}
