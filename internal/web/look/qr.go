package look

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

type qrDrawing struct{ Box, Path string }

// qrCode turns text into one path of runs, with the quiet zone of four modules that ISO/IEC 18004 asks for.
func qrCode(text string) qrDrawing {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return qrDrawing{}
	}
	size := code.Bounds().Dx()
	dark := func(x, y int) bool { return x < size && color.GrayModel.Convert(code.At(x, y)).(color.Gray).Y < 128 }
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			if !dark(x, y) {
				continue
			}
			start := x
			for dark(x, y) {
				x++
			}
			fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", start+4, y+4, x-start, x-start)
		}
	}
	return qrDrawing{fmt.Sprintf("0 0 %d %d", size+8, size+8), path.String()}
}
