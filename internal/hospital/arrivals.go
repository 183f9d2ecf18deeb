package hospital

// arrival is what brings somebody to the emergency department for some hours.
type arrival struct {
	name, snomed, icd        string
	from, to                 int
	complaint, history, exam string
	plan                     []string
	start                    signs
	panels                   []string
	labs                     []trend
	drugs                    []string
	studies                  []study
	triage                   int // 1 to 5
	label                    string
}

var arrivals = []arrival{
	{name: "Chest pain", snomed: "29857009", icd: "R07.9", from: 35, to: 85, triage: 2,
		complaint: "Chest pain since this morning", history: "{age}-year-old {woman} with tightness across the chest on waking, thirty minutes, gone on arrival. Some sweating. Smoked until two years ago.",
		exam: "Comfortable, chest wall not tender, lungs clear, no swelling.", plan: []string{"Electrocardiogram and troponin now and in three hours.", "Aspirin given.", "Home with stress test if both are normal."},
		start: signs{88, 148, 86, 16, 97, 367}, panels: []string{"cbc", "bmp", "troponin"}, labs: []trend{{"troponin", 9, 9}}, drugs: []string{"aspirin"},
		studies: []study{{"29303009", "Electrocardiogram", "ELECTROCARDIOGRAM\nSinus rhythm 84, normal axis, no ST change.", "No sign of ischemia."}}},
	{name: "Ankle sprain", snomed: "44465007", icd: "S93.401A", from: 12, to: 60, triage: 4,
		complaint: "Twisted ankle at sport", history: "{age}-year-old {woman} landed on the outside of the right foot, swelled at once, limps.",
		exam: "Swollen below the outer ankle, tender there, not over the bone.", plan: []string{"X-ray by the ankle rules.", "Brace, ice, crutches for three days."},
		start: signs{82, 124, 76, 16, 99, 367}, drugs: []string{"ibuprofen"}, studies: []study{{"19490002", "X-ray of right ankle", "RIGHT ANKLE\nSoft tissue swelling laterally. No fracture, joint congruent.", "No fracture."}}},
	{name: "Asthma attack", snomed: "195967001", icd: "J45.901", from: 5, to: 45, triage: 2,
		complaint: "Cannot catch {her} breath", history: "{age}-year-old {woman} with asthma, wheezing since the evening, ten puffs of the reliever without lasting help. A cold since two days.",
		exam: "Wheeze on both sides, uses neck muscles, speaks in short sentences.", plan: []string{"Nebulized albuterol back to back, prednisone.", "Peak flow before and after.", "Home if above 70 % after four hours."},
		start: signs{118, 128, 76, 28, 92, 370}, drugs: []string{"albuterol-neb", "prednisone"}},
	{name: "Laceration of hand", snomed: "284549007", icd: "S61.412A", from: 16, to: 75, triage: 4,
		complaint: "Cut hand on glass", history: "{age}-year-old {woman} cut the left palm on a broken glass while washing up.",
		exam: "Three centimetres across the left palm, clean, tendons and feeling intact.", plan: []string{"Washed, five stitches under local anesthetic.", "Tetanus booster.", "Stitches out in ten days."},
		start: signs{84, 132, 80, 16, 98, 366}},
	{name: "Abdominal pain", snomed: "21522001", icd: "R10.9", from: 16, to: 80, triage: 3,
		complaint: "Stomach pain for a day", history: "{age}-year-old {woman} with cramping pain around the navel, nausea, last stool yesterday. No fever.",
		exam: "Soft, mildly tender without guarding, bowel sounds present.", plan: []string{"Blood tests, urine, fluids, ondansetron.", "Examine again in two hours."},
		start: signs{92, 128, 78, 17, 98, 371}, panels: []string{"cbc", "bmp", "liver", "lipase"}, labs: []trend{{"wbc", 104, 98}}, drugs: []string{"ondansetron", "saline"}},
	{name: "Kidney stone", snomed: "95570007", icd: "N20.0", from: 25, to: 70, triage: 3,
		complaint: "Worst pain ever in the side", history: "{age}-year-old {woman} woke at night with waves of pain from the left flank to the groin, cannot lie still, vomited.",
		exam: "Restless, left flank tender, abdomen soft.", plan: []string{"Pain relief first, then low-dose CT.", "Strain the urine.", "Urology if larger than 6 mm or fever."},
		start: signs{104, 152, 90, 20, 98, 368}, panels: []string{"bmp"}, labs: []trend{{"creatinine", 104, 96}}, drugs: []string{"morphine", "ondansetron"},
		studies: []study{{"169070004", "CT of abdomen, low dose", "CT ABDOMEN AND PELVIS WITHOUT CONTRAST\nStone of 4 mm at the left ureterovesical junction with mild dilatation above. No other stones.", "Distal left ureteric stone, 4 mm."}}},
	{name: "Fainting", snomed: "271594007", icd: "R55", from: 16, to: 92, triage: 3,
		complaint: "Passed out in a queue", history: "{age}-year-old {woman} felt hot and sick while standing in a queue, fell, came round within a minute. Had not eaten.",
		exam: "Graze on the chin. Pressure does not fall on standing. Nervous system normal.", plan: []string{"Electrocardiogram, glucose, blood count.", "Home with advice if all is normal."},
		start: signs{68, 112, 68, 15, 98, 366}, panels: []string{"cbc", "bmp"}, studies: []study{{"29303009", "Electrocardiogram", "ELECTROCARDIOGRAM\nSinus rhythm 66, intervals normal.", "Normal."}}},
	{name: "Ear infection", snomed: "65363002", icd: "H66.90", from: 1, to: 9, triage: 4,
		complaint: "Fever and ear pain", history: "{age}-year-old {woman}, two days of cold, fever 39 last night, pulls at the right ear and cries.",
		exam: "Right drum red and bulging, neck supple, well hydrated.", plan: []string{"Amoxicillin for ten days, ibuprofen for pain.", "Back if no better in two days."},
		start: signs{128, 98, 60, 26, 98, 389}, drugs: []string{"amoxicillin"}},
	{name: "Opioid overdose", snomed: "55680006", icd: "T40.2X1A", from: 20, to: 55, triage: 1, label: labelSubstance,
		complaint: "Found unresponsive, breathing slowly", history: "{age}-year-old {woman} brought by ambulance, pinpoint pupils, eight breaths a minute, woke after naloxone in the street. Nothing else known on arrival.",
		exam: "Drowsy, rousable, breathing twelve after the second dose. No injuries.", plan: []string{"Watch for four hours after the last naloxone.", "Counsellor before discharge, naloxone to take home."},
		start: signs{62, 104, 62, 9, 90, 362}, panels: []string{"bmp", "ethanol"}, labs: []trend{{"ethanol", 64, 64}}, drugs: []string{"naloxone"}},
	{name: "Stroke, suspected", snomed: "230690007", icd: "I63.9", from: 55, to: 92, triage: 1,
		complaint: "Weak right arm, slurred speech", history: "{age}-year-old {woman}, last seen well ninety minutes before arrival. The family noticed a drooping face and a dropped cup.",
		exam: "Right face and arm weak, speech slurred, score 6.", plan: []string{"CT at once, stroke team called.", "Nothing by mouth, pressure below 185."},
		start: signs{86, 174, 96, 17, 96, 366}, panels: []string{"cbc", "bmp", "inr"}, studies: []study{{"303653007", "CT of head", "CT HEAD WITHOUT CONTRAST\nNo bleeding. No early sign of infarction. Old small lacunae.", "No bleeding."}}},
}
