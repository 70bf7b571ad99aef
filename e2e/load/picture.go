package main

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// line is a line of a picture.
type line struct {
	label  string
	points plotter.XYs
	colour int
	dashed bool
}

// The colours of lines, which those who see no red or no green can tell apart, too
// (Okabe and Ito); they are told by their marks as well.
var (
	colours = []color.Color{color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255}}
	marks   = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}}
)

// draw draws throughput against the floor, and cost against the size of the history.
// Pictures stand on white, so that they are readable on any ground.
func (m measurements) draw(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var throughput []line
	for colour, on := range []string{"mariadb", "postgres", "sqlite"} {
		for _, release := range []string{"here", "before"} {
			l := line{label: labels[on], colour: colour}
			if release == "before" {
				l.label, l.dashed = l.label+", release before", true
			}
			for _, p := range m.places(func(p place) bool { return p.what == "form" && p.on == on && p.release == release }) {
				if of := m.ratio(p, place{"floor", "none", on, p.users}); len(of) > 0 {
					l.points = append(l.points, plotter.XY{X: float64(p.users), Y: of.median()})
				}
			}
			throughput = append(throughput, l)
		}
	}
	speed, cpu := line{label: "changes a second"}, line{label: "with the same CPU", colour: 1}
	for _, p := range m.places(func(p place) bool { return strings.HasPrefix(p.what, "earlier-") && p.users == 8 }) {
		form := place{"form", "here", p.on, p.users}
		claims, err := strconv.ParseFloat(strings.TrimPrefix(p.what, "earlier-"), 64)
		if err != nil {
			return err
		}
		if of := m.ratio(p, form); len(of) > 0 {
			speed.points = append(speed.points, plotter.XY{X: claims, Y: of.median()})
			cpu.points = append(cpu.points, plotter.XY{X: claims, Y: m.at(form, "cpu-ms/op").median() / m.at(p, "cpu-ms/op").median()})
		}
	}
	for _, l := range []*line{&speed, &cpu} {
		if len(l.points) > 0 {
			l.points = slices.Insert(l.points, 0, plotter.XY{X: 0, Y: 1})
		}
	}
	return errors.Join(
		picture(filepath.Join(folder, "throughput.svg"), "Changes for each transaction of two inserts", "users at once", throughput),
		picture(filepath.Join(folder, "history.svg"), "A change, to one with an empty history (8 users, MariaDB)", "earlier claims", []line{speed, cpu}),
	)
}

func picture(file, title, across string, lines []line) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text = title, across
	p.Y.Min = 0
	p.Legend.Top, p.Legend.Padding, p.Legend.XOffs = true, vg.Points(3), -vg.Points(8)
	for _, font := range []*string{(*string)(&p.Title.TextStyle.Font.Variant), (*string)(&p.X.Label.TextStyle.Font.Variant), (*string)(&p.Legend.TextStyle.Font.Variant), (*string)(&p.X.Tick.Label.Font.Variant), (*string)(&p.Y.Tick.Label.Font.Variant)} {
		*font = "Sans"
	}
	var ticks plot.ConstantTicks
	for _, l := range lines {
		if len(l.points) == 0 {
			continue
		}
		drawn, dots, err := plotter.NewLinePoints(l.points)
		if err != nil {
			return fmt.Errorf("%s: %w", l.label, err)
		}
		drawn.Color, drawn.Width = colours[l.colour], vg.Points(1.5)
		dots.Color, dots.Shape, dots.Radius = colours[l.colour], marks[l.colour], vg.Points(3)
		if l.dashed {
			drawn.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
		}
		p.Add(drawn, dots)
		p.Legend.Add(l.label+"    ", drawn, dots) // viewers' letters may be wider
		for _, at := range l.points {
			if !slices.ContainsFunc(ticks, func(t plot.Tick) bool { return t.Value == at.X }) {
				ticks = append(ticks, plot.Tick{Value: at.X, Label: thousands(fmt.Sprintf("%.0f", at.X))})
			}
		}
	}
	if len(ticks) == 0 {
		return nil // it was not measured
	}
	p.X.Tick.Marker = ticks
	p.Add(plotter.NewGrid())
	p.Y.Max *= 1.4 // room for the legend
	image := vgsvg.New(16*vg.Centimeter, 9*vg.Centimeter)
	canvas := draw.New(image)
	canvas.SetColor(color.White)
	canvas.Fill(canvas.Path())
	p.Draw(draw.Crop(canvas, vg.Points(8), -vg.Points(30), vg.Points(8), -vg.Points(8))) // numbers reach beyond their axis
	var drawn bytes.Buffer
	if _, err := image.WriteTo(&drawn); err != nil {
		return err
	}
	return os.WriteFile(file, drawn.Bytes(), 0o644)
}
