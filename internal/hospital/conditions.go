package hospital

// condition is a problem that people live with: who has it, how it is coded, what is taken for it, how it shows in the laboratory,
// and what a follow-up visit says about it.
type condition struct {
	key, name       string
	snomed, icd     string
	from, to        int  // age of those who may have it
	sex             byte // 'f', 'm'; 0: both
	share           int  // percent of them at the upper half of the ages; half of it below
	clinic          string
	drugs           []string
	tests           []level // what the disease does to results, and what is therefore measured
	label           string
	talk, judgement string // of a follow-up note; {a1c} and the like are the visit's results
}

// level is where a result lies with a condition, in the units of the test.
type level struct {
	test   string
	lo, hi int
}

var conditions = []condition{
	{key: "htn", name: "High blood pressure", snomed: "38341003", icd: "I10", from: 35, to: 100, share: 46, clinic: "fam",
		drugs: []string{"lisinopril", "amlodipine"}, tests: []level{{"k", 36, 48}},
		talk:      "Home readings mostly in the 120s and 130s. Takes the tablets every morning, no dizziness, no swelling. Walks most days.",
		judgement: "Blood pressure {bp} today. Continue the present tablets. Potassium {k}, creatinine {creatinine}. Home log to be brought to the next visit."},
	{key: "t2dm", name: "Type 2 diabetes", snomed: "44054006", icd: "E11.9", from: 40, to: 95, share: 17, clinic: "fam",
		drugs: []string{"metformin", "empagliflozin"}, tests: []level{{"a1c", 64, 92}, {"glucose", 118, 212}, {"uacr", 8, 110}},
		talk:      "Fasting readings at home between 110 and 160, no lows. Eye examination done in spring. Feet without numbness.",
		judgement: "A1c {a1c} %. Monofilament normal on both feet. Continue metformin, review the need for more after three months. Urine albumin {uacr} mg/g."},
	{key: "hld", name: "High cholesterol", snomed: "55822004", icd: "E78.5", from: 35, to: 95, share: 32, clinic: "fam",
		drugs: []string{"atorvastatin"}, tests: []level{{"chol", 168, 248}, {"ldl", 84, 168}, {"tg", 110, 260}},
		talk:      "No muscle pain on the statin. Diet as before.",
		judgement: "LDL {ldl} mg/dL on treatment. Continue, repeat lipids in a year."},
	{key: "cad", name: "Coronary artery disease", snomed: "53741008", icd: "I25.10", from: 55, to: 95, share: 12, clinic: "card",
		drugs: []string{"aspirin", "metoprolol", "atorvastatin", "nitroglycerin"}, tests: []level{{"ldl", 52, 96}},
		talk:      "One or two episodes of chest tightness a month with hills, gone within minutes of rest. Nitroglycerin used once. Sleeps flat.",
		judgement: "Stable angina, class II. LDL {ldl} mg/dL. Continue aspirin, beta blocker and statin; cardiac rehabilitation offered again."},
	{key: "hfref", name: "Heart failure with reduced ejection fraction", snomed: "703272007", icd: "I50.22", from: 55, to: 98, share: 6, clinic: "card",
		drugs: []string{"furosemide", "bisoprolol", "spironolactone"}, tests: []level{{"bnp", 620, 2400}, {"k", 40, 52}},
		talk:      "Two pillows, no night-time breathlessness. Weighs daily, steady within one kilogram. Climbs one flight without stopping.",
		judgement: "Class II, no congestion on examination. NT-proBNP {bnp} pg/mL, potassium {k}. Continue; ring if two kilograms up in three days."},
	{key: "afib", name: "Atrial fibrillation", snomed: "49436004", icd: "I48.91", from: 60, to: 98, share: 10, clinic: "card",
		drugs: []string{"apixaban", "metoprolol"}, tests: []level{{"hgb", 118, 145}},
		talk:      "Aware of palpitations perhaps once a week, short. No bleeding, no falls.",
		judgement: "Rate {hr} and controlled. Hemoglobin {hgb}. Continue apixaban at the full dose, kidney function yearly."},
	{key: "ckd3", name: "Chronic kidney disease, stage 3a", snomed: "700378005", icd: "N18.31", from: 60, to: 98, share: 12, clinic: "fam",
		drugs: []string{"losartan"}, tests: []level{{"creatinine", 128, 162}, {"bun", 21, 34}, {"uacr", 40, 280}},
		talk:      "Feels well. Avoids ibuprofen since the last visit. Drinks about two litres a day.",
		judgement: "Creatinine {creatinine}, eGFR {egfr}: stable over a year. Continue losartan. Dose of all new medicines to be checked against kidney function."},
	{key: "copd", name: "Chronic obstructive pulmonary disease", snomed: "13645005", icd: "J44.9", from: 55, to: 95, share: 9, clinic: "fam",
		drugs: []string{"tiotropium", "albuterol"}, tests: []level{{"co2", 27, 33}},
		talk:      "Morning cough with clear sputum. One course of prednisone in the past year. Stopped smoking two years ago.",
		judgement: "Moderate obstruction, few exacerbations. Inhaler technique shown again and good. Continue tiotropium daily."},
	{key: "asthma", name: "Asthma", snomed: "195967001", icd: "J45.909", from: 5, to: 70, share: 8, clinic: "fam",
		drugs:     []string{"fluticasone", "albuterol"},
		talk:      "Uses the reliever about twice a week, more in spring. No night waking this month, no emergency visits.",
		judgement: "Well controlled on the present inhaler. Written action plan renewed. Step down at the next visit if it stays so."},
	{key: "osa", name: "Sleep apnea, uses CPAP", snomed: "78275009", icd: "G47.33", from: 40, to: 85, share: 8, clinic: "fam",
		talk: "Wears the mask about six hours a night and wakes rested.", judgement: "Good adherence. New mask ordered."},
	{key: "hypothyroid", name: "Hypothyroidism", snomed: "40930008", icd: "E03.9", from: 25, to: 95, share: 7, clinic: "fam",
		drugs: []string{"levothyroxine"}, tests: []level{{"tsh", 80, 620}},
		talk: "Energy is fair, weight steady. Takes the tablet before breakfast.", judgement: "TSH {tsh} mU/L. Same dose, repeat in a year."},
	{key: "gerd", name: "Reflux disease", snomed: "235595009", icd: "K21.9", from: 25, to: 90, share: 12, clinic: "fam",
		drugs:     []string{"omeprazole"},
		talk:      "Heartburn comes back within days of stopping the capsule. No trouble swallowing, weight steady.",
		judgement: "Uncomplicated reflux. Lowest dose that holds; raise the head of the bed."},
	{key: "oa-knee", name: "Osteoarthritis of knee", snomed: "239873007", icd: "M17.9", from: 50, to: 95, share: 18, clinic: "ortho",
		drugs:     []string{"acetaminophen"},
		talk:      "Pain on stairs and after sitting, stiff for ten minutes in the morning. Exercises twice a week helped.",
		judgement: "Crepitus, no effusion, flexion to 110 degrees. Continue exercises; injection discussed, not wanted now; replacement when nights are disturbed."},
	{key: "osteoporosis", name: "Osteoporosis", snomed: "64859006", icd: "M81.0", from: 60, to: 98, sex: 'f', share: 16, clinic: "fam",
		drugs: []string{"alendronate"}, tests: []level{{"vitd", 18, 44}},
		talk: "No new fractures, no back pain. Takes the weekly tablet on Sundays.", judgement: "Vitamin D {vitd} ng/mL. Third year of alendronate, holiday after five."},
	{key: "bph", name: "Enlarged prostate", snomed: "266569009", icd: "N40.1", from: 55, to: 95, sex: 'm', share: 20, clinic: "fam",
		drugs: []string{"tamsulosin"}, tests: []level{{"psa", 8, 46}},
		talk: "Gets up twice a night, stream better than before the capsule.", judgement: "PSA {psa} ng/mL, unchanged. Continue."},
	{key: "gout", name: "Gout", snomed: "90560007", icd: "M10.9", from: 40, to: 90, sex: 'm', share: 6, clinic: "fam",
		drugs: []string{"allopurinol"}, tests: []level{{"urate", 48, 78}},
		talk: "No attack for eight months.", judgement: "Urate {urate} mg/dL, target below 6. Same dose."},
	{key: "migraine", name: "Migraine", snomed: "37796009", icd: "G43.909", from: 16, to: 60, share: 9, clinic: "fam",
		drugs:     []string{"sumatriptan", "topiramate"},
		talk:      "Three attacks this month, each gone within two hours of the tablet. No aura, no weakness.",
		judgement: "Prevention works. Headache diary to go on; no imaging needed."},
	{key: "epilepsy", name: "Epilepsy", snomed: "84757009", icd: "G40.909", from: 8, to: 80, share: 2, clinic: "fam",
		drugs: []string{"levetiracetam"},
		talk:  "No seizure since the dose was raised in winter. Sleeps enough.", judgement: "Controlled. Driving after six seizure-free months."},
	{key: "ra", name: "Rheumatoid arthritis", snomed: "69896004", icd: "M06.9", from: 30, to: 85, share: 2, clinic: "fam",
		drugs: []string{"methotrexate", "folic-acid"}, tests: []level{{"esr", 18, 46}, {"crp", 4, 24}},
		talk:      "Half an hour of stiffness in the morning, both wrists. Tolerates the weekly tablets.",
		judgement: "Low disease activity. ESR {esr}, CRP {crp}. Blood count and liver tests every three months."},
	{key: "anemia", name: "Iron deficiency anemia", snomed: "87522002", icd: "D50.9", from: 18, to: 55, sex: 'f', share: 8, clinic: "fam",
		drugs: []string{"ferrous-sulfate"}, tests: []level{{"hgb", 98, 121}, {"hct", 300, 366}, {"ferritin", 6, 22}},
		talk: "Tired in the afternoons, heavy periods.", judgement: "Hemoglobin {hgb}, ferritin {ferritin}. Iron every other day for three months, then repeat."},
	{key: "rhinitis", name: "Allergic rhinitis", snomed: "61582004", icd: "J30.9", from: 6, to: 60, share: 14, clinic: "fam",
		drugs: []string{"cetirizine"},
		talk:  "Sneezing and itchy eyes since the birches flower.", judgement: "Antihistamine as needed, nasal spray if not enough."},
	{key: "eczema", name: "Atopic eczema", snomed: "24079001", icd: "L20.9", from: 1, to: 16, share: 14, clinic: "peds",
		talk: "Elbow creases itch at night, better with the ointment.", judgement: "Mild. Emollients twice a day, steroid ointment for flares only."},
	{key: "depression", name: "Recurrent depression", snomed: "66344007", icd: "F33.1", from: 18, to: 80, share: 9, clinic: "fam", label: labelPsychiatry,
		drugs:     []string{"sertraline"},
		talk:      "Mood better than in winter, sleeps six hours, back at work four days a week. No thoughts of self-harm.",
		judgement: "Questionnaire score 7, was 14. Continue sertraline at least six more months; counselling every two weeks."},
	{key: "anxiety", name: "Generalized anxiety", snomed: "21897009", icd: "F41.1", from: 16, to: 70, share: 8, clinic: "fam", label: labelPsychiatry,
		drugs: []string{"escitalopram"},
		talk:  "Worries less, one panic attack this month.", judgement: "Improving. Continue, breathing exercises, review in two months."},
	{key: "oud", name: "Opioid use disorder, on treatment", snomed: "75544000", icd: "F11.20", from: 20, to: 60, share: 2, clinic: "fam", label: labelSubstance,
		drugs: []string{"buprenorphine"},
		talk:  "No use for five months, works again. Goes to the group on Tuesdays.", judgement: "Stable on buprenorphine. Naloxone at home. Monthly visits."},
	{key: "hiv", name: "HIV infection", snomed: "86406008", icd: "Z21", from: 22, to: 75, share: 1, clinic: "id", label: labelHIV,
		drugs: []string{"dolutegravir"}, tests: []level{{"hiv", 0, 19}, {"cd4", 480, 980}},
		talk: "Has missed one tablet in a month. No complaints.", judgement: "Viral load below 20 copies, CD4 {cd4}. Continue, next tests in six months."},
	{key: "breast", name: "Breast cancer, after surgery", snomed: "254837009", icd: "C50.919", from: 45, to: 85, sex: 'f', share: 4, clinic: "onc",
		drugs: []string{"anastrozole"}, tests: []level{{"alp", 60, 128}},
		talk: "Second year of the tablet. Hot flushes bearable, joints stiff in the morning.", judgement: "No sign of return. Mammogram in autumn. Continue anastrozole."},
	{key: "pregnancy", name: "Pregnancy", snomed: "77386006", icd: "Z34.90", from: 19, to: 42, sex: 'f', share: 5, clinic: "women",
		drugs: []string{"prenatal-vitamins"}, tests: []level{{"hgb", 108, 128}, {"hct", 328, 386}},
		talk: "Feels the baby move every day. No bleeding, no headache, some heartburn.", judgement: "Fundal height as expected, fetal heart 144. Blood pressure {bp}. Hemoglobin {hgb}. Next visit in two weeks."},
}

var conditionOf = func() map[string]*condition {
	m := make(map[string]*condition, len(conditions))
	for i := range conditions {
		m[conditions[i].key] = &conditions[i]
	}
	return m
}()

// fits reports whether somebody of that age and sex may have the condition.
func (c *condition) fits(age int, female bool) bool {
	return age >= c.from && age <= c.to && (c.sex == 0 || (c.sex == 'f') == female)
}

// drawConditions gives a person the problems of a life so far.
func drawConditions(d *draw, age int, female bool) (keys []string) {
	for i := range conditions {
		c := &conditions[i]
		share := c.share
		if age < (c.from+c.to)/2 {
			share = (share + 1) / 2
		}
		if c.fits(age, female) && d.chance(share) {
			keys = append(keys, c.key)
		}
	}
	return keys
}
