package hospital

// lab is a laboratory test. Numbers are in units of 10^-places. Where women's range differs it stands second.
type lab struct {
	loinc, name, unit, ucum string
	places                  int
	low, high               int
	lowF, highF             int // 0, 0: as above
	panicLow, panicHigh     int // 0: none
	panel                   string
}

// panel is a group of tests that are ordered together.
type panel struct{ loinc, name string }

var panels = map[string]panel{
	"bmp":   {"51990-0", "Basic metabolic panel"},
	"cbc":   {"58410-2", "Complete blood count"},
	"lipid": {"57698-3", "Lipid panel"},
	"liver": {"24325-3", "Hepatic function panel"},
	"gas":   {"24338-6", "Gas panel, blood"},
}

var labs = map[string]lab{
	"na":         {loinc: "2951-2", name: "Sodium", unit: "mmol/L", ucum: "mmol/L", low: 135, high: 145, panicLow: 120, panicHigh: 160, panel: "bmp"},
	"k":          {loinc: "2823-3", name: "Potassium", unit: "mmol/L", ucum: "mmol/L", places: 1, low: 35, high: 51, panicLow: 28, panicHigh: 62, panel: "bmp"},
	"cl":         {loinc: "2075-0", name: "Chloride", unit: "mmol/L", ucum: "mmol/L", low: 98, high: 107, panel: "bmp"},
	"co2":        {loinc: "2028-9", name: "Carbon dioxide", unit: "mmol/L", ucum: "mmol/L", low: 22, high: 29, panicLow: 10, panicHigh: 45, panel: "bmp"},
	"bun":        {loinc: "3094-0", name: "Urea nitrogen", unit: "mg/dL", ucum: "mg/dL", low: 7, high: 20, panicHigh: 100, panel: "bmp"},
	"creatinine": {loinc: "2160-0", name: "Creatinine", unit: "mg/dL", ucum: "mg/dL", places: 2, low: 74, high: 135, lowF: 59, highF: 104, panicHigh: 700, panel: "bmp"},
	"glucose":    {loinc: "2345-7", name: "Glucose", unit: "mg/dL", ucum: "mg/dL", low: 70, high: 99, panicLow: 45, panicHigh: 450, panel: "bmp"},
	"calcium":    {loinc: "17861-6", name: "Calcium", unit: "mg/dL", ucum: "mg/dL", places: 1, low: 86, high: 102, panicLow: 65, panicHigh: 130, panel: "bmp"},
	"egfr":       {loinc: "98979-8", name: "eGFR (CKD-EPI 2021)", unit: "mL/min/1.73 m2", ucum: "mL/min/{1.73_m2}", low: 60, high: 130, panel: "bmp"},
	"wbc":        {loinc: "6690-2", name: "White cells", unit: "10*3/uL", ucum: "10*3/uL", places: 1, low: 40, high: 110, panicLow: 10, panicHigh: 400, panel: "cbc"},
	"hgb":        {loinc: "718-7", name: "Hemoglobin", unit: "g/dL", ucum: "g/dL", places: 1, low: 135, high: 175, lowF: 120, highF: 155, panicLow: 65, panel: "cbc"},
	"hct":        {loinc: "4544-3", name: "Hematocrit", unit: "%", ucum: "%", places: 1, low: 400, high: 520, lowF: 360, highF: 470, panel: "cbc"},
	"plt":        {loinc: "777-3", name: "Platelets", unit: "10*3/uL", ucum: "10*3/uL", low: 150, high: 400, panicLow: 20, panicHigh: 1000, panel: "cbc"},
	"chol":       {loinc: "2093-3", name: "Cholesterol, total", unit: "mg/dL", ucum: "mg/dL", low: 100, high: 199, panel: "lipid"},
	"tg":         {loinc: "2571-8", name: "Triglycerides", unit: "mg/dL", ucum: "mg/dL", low: 40, high: 149, panel: "lipid"},
	"hdl":        {loinc: "2085-9", name: "HDL cholesterol", unit: "mg/dL", ucum: "mg/dL", low: 40, high: 80, lowF: 50, highF: 90, panel: "lipid"},
	"ldl":        {loinc: "13457-7", name: "LDL cholesterol, calculated", unit: "mg/dL", ucum: "mg/dL", low: 40, high: 129, panel: "lipid"},
	"alt":        {loinc: "1742-6", name: "ALT", unit: "U/L", ucum: "U/L", low: 7, high: 56, panicHigh: 1000, panel: "liver"},
	"ast":        {loinc: "1920-8", name: "AST", unit: "U/L", ucum: "U/L", low: 10, high: 40, panicHigh: 1000, panel: "liver"},
	"alp":        {loinc: "6768-6", name: "Alkaline phosphatase", unit: "U/L", ucum: "U/L", low: 44, high: 147, panel: "liver"},
	"bili":       {loinc: "1975-2", name: "Bilirubin, total", unit: "mg/dL", ucum: "mg/dL", places: 1, low: 2, high: 12, panicHigh: 150, panel: "liver"},
	"albumin":    {loinc: "1751-7", name: "Albumin", unit: "g/dL", ucum: "g/dL", places: 1, low: 34, high: 54, panel: "liver"},
	"ph":         {loinc: "2744-1", name: "pH, arterial", ucum: "[pH]", places: 2, low: 735, high: 745, panicLow: 720, panicHigh: 760, panel: "gas"},
	"pco2":       {loinc: "2019-8", name: "pCO2, arterial", unit: "mmHg", ucum: "mm[Hg]", low: 35, high: 45, panicLow: 20, panicHigh: 70, panel: "gas"},
	"crp":        {loinc: "1988-5", name: "C-reactive protein", unit: "mg/L", ucum: "mg/L", low: 0, high: 8},
	"pct":        {loinc: "33959-8", name: "Procalcitonin", unit: "ng/mL", ucum: "ng/mL", places: 2, low: 0, high: 10},
	"lactate":    {loinc: "2524-7", name: "Lactate", unit: "mmol/L", ucum: "mmol/L", places: 1, low: 5, high: 20, panicHigh: 40},
	"troponin":   {loinc: "89579-7", name: "Troponin I, high sensitivity", unit: "ng/L", ucum: "ng/L", low: 0, high: 20, panicHigh: 52},
	"bnp":        {loinc: "33762-6", name: "NT-proBNP", unit: "pg/mL", ucum: "pg/mL", low: 0, high: 300},
	"a1c":        {loinc: "4548-4", name: "Hemoglobin A1c", unit: "%", ucum: "%", places: 1, low: 40, high: 56},
	"tsh":        {loinc: "3016-3", name: "TSH", unit: "mU/L", ucum: "m[IU]/L", places: 2, low: 40, high: 450},
	"uacr":       {loinc: "9318-7", name: "Albumin/creatinine, urine", unit: "mg/g", ucum: "mg/g", low: 0, high: 29},
	"lipase":     {loinc: "3040-3", name: "Lipase", unit: "U/L", ucum: "U/L", low: 13, high: 60},
	"inr":        {loinc: "6301-6", name: "INR", ucum: "{INR}", places: 1, low: 9, high: 12, panicHigh: 50},
	"ferritin":   {loinc: "2276-4", name: "Ferritin", unit: "ng/mL", ucum: "ng/mL", low: 30, high: 300, lowF: 15, highF: 150},
	"urate":      {loinc: "3084-1", name: "Uric acid", unit: "mg/dL", ucum: "mg/dL", places: 1, low: 34, high: 70, lowF: 24, highF: 60},
	"lithium":    {loinc: "14334-7", name: "Lithium", unit: "mmol/L", ucum: "mmol/L", places: 2, low: 60, high: 120, panicHigh: 200},
	"ethanol":    {loinc: "5643-2", name: "Ethanol", unit: "mg/dL", ucum: "mg/dL", low: 0, high: 10, panicHigh: 400},
	"ketone":     {loinc: "6873-4", name: "Beta hydroxybutyrate", unit: "mmol/L", ucum: "mmol/L", places: 1, low: 0, high: 3},
	"hiv":        {loinc: "20447-9", name: "HIV-1 RNA", unit: "copies/mL", ucum: "{copies}/mL", low: 0, high: 20},
	"cd4":        {loinc: "24467-3", name: "CD4 cells", unit: "cells/uL", ucum: "/uL", low: 500, high: 1500},
	"psa":        {loinc: "2857-1", name: "Prostate specific antigen", unit: "ng/mL", ucum: "ng/mL", places: 1, low: 0, high: 40},
	"vitd":       {loinc: "1989-3", name: "Vitamin D, 25-hydroxy", unit: "ng/mL", ucum: "ng/mL", low: 30, high: 100},
	"esr":        {loinc: "4537-7", name: "Sedimentation rate", unit: "mm/h", ucum: "mm/h", low: 0, high: 20, lowF: 0, highF: 30},
	"bilinb":     {loinc: "58941-6", name: "Bilirubin, transcutaneous", unit: "mg/dL", ucum: "mg/dL", places: 1, low: 0, high: 120, panicHigh: 180},
}

// inPanel are the tests of a panel in the order of a printed report.
var inPanel = map[string][]string{
	"bmp":   {"na", "k", "cl", "co2", "bun", "creatinine", "glucose", "calcium", "egfr"},
	"cbc":   {"wbc", "hgb", "hct", "plt"},
	"lipid": {"chol", "tg", "hdl", "ldl"},
	"liver": {"alt", "ast", "alp", "bili", "albumin"},
	"gas":   {"ph", "pco2"},
}

func (l lab) between(female bool) (low, high int) {
	if female && l.highF > 0 {
		return l.lowF, l.highF
	}
	return l.low, l.high
}

// flag is the interpretation of a value, in v3 ObservationInterpretation.
func (l lab) flag(n int, female bool) string {
	low, high := l.between(female)
	switch {
	case l.panicLow > 0 && n <= l.panicLow:
		return "LL"
	case l.panicHigh > 0 && n >= l.panicHigh:
		return "HH"
	case n < low:
		return "L"
	case n > high:
		return "H"
	}
	return "N"
}

// usual is a value of somebody without any reason to be ill.
func (l lab) usual(d *draw, female bool) int {
	low, high := l.between(female)
	return d.around((low+high)/2, max(1, (high-low)*2/5))
}
