package hospital

// story is an illness that brings somebody to a ward: how it begins, what is found and done, and how it goes from day to day.
type story struct {
	key, name, snomed, icd string
	ward                   string
	from, to               int
	sex                    byte
	share                  int      // of the ward's patients, in parts
	with                   []string // conditions that belong to it
	days                   int      // usual length of stay

	complaint, history, exam string
	plan                     []string
	course                   []string // day by day, the last for all that follow
	nursing                  []string // what nurses write, shift by shift

	start   signs // on arrival
	oxygen  string
	panels  []string
	labs    []trend
	drugs   []string
	held    string // a drug of home that is stopped, if taken
	heldWhy string
	studies []study
	surgery *operation
	consult string // key of the place asked
	ask     string
	answer  string
	label   string
}

// trend is a result on arrival and at the end of the usual stay.
type trend struct {
	test     string
	from, to int
}

// operation is a procedure on the second day of a stay, or the first.
type operation struct{ snomed, name, note string }

var stories = []story{
	{key: "pneumonia", name: "Pneumonia, community acquired", snomed: "385093006", icd: "J18.9", ward: "5w", from: 45, to: 92, share: 4, days: 4,
		complaint: "Cough, fever and breathlessness for three days",
		history:   "{age}-year-old {woman} with three days of productive cough, fever to 39 and increasing breathlessness; {she} could not climb the stairs at home since yesterday. No chest pain, no travel, no recent antibiotics. A grandchild had a cold last week.",
		exam:      "Flushed, speaks in short sentences. Crackles at the right base with bronchial breathing. Heart regular, no leg swelling. Alert and oriented.",
		plan:      []string{"Pneumonia of the right lower lobe: ceftriaxone and azithromycin, blood cultures taken before the first dose.", "Oxygen to keep saturation at 92 to 96 %.", "Fluids by mouth, watch kidney function daily.", "Enoxaparin while in bed.", "Out of bed twice a day with physiotherapy."},
		course: []string{"Fever persists, cough looser. Oxygen unchanged. Cultures without growth so far.", "Fever settling, eats half of {her} meals. Less oxygen than yesterday.", "Afebrile since the early morning. Walks to the bathroom without stopping. Cultures negative at 48 hours.",
			"Afebrile for a day, on room air at rest. Antibiotic can go to tablets; home tomorrow if the night is quiet."},
		nursing: []string{"Coughing up yellow sputum, sat up for breakfast. Oxygen by nasal prongs, nose sore, gel applied. Encouraged to drink.", "Slept in stretches of two hours. Temperature taken every four hours, fluids topped up. Walked to the chair with one person.", "Washed at the basin with little help. Less breathless. Family visited in the afternoon."},
		start:   signs{112, 112, 66, 26, 89, 390}, oxygen: "2 L/min by nasal prongs", panels: []string{"cbc", "bmp", "crp"},
		labs:  []trend{{"wbc", 178, 98}, {"crp", 214, 38}, {"bun", 29, 18}, {"lactate", 21, 12}},
		drugs: []string{"ceftriaxone", "azithromycin", "enoxaparin", "acetaminophen"}, held: "metformin", heldWhy: "Kidney function",
		studies: []study{{"399208008", "Chest X-ray, two views", "CHEST, TWO VIEWS\nConsolidation of the right lower lobe with air bronchograms. Small right effusion. Heart at the upper limit of normal. No pneumothorax.", "Right lower lobe pneumonia with a small effusion."}}},
	{key: "heart-failure", name: "Acute decompensated heart failure", snomed: "195111005", icd: "I50.23", ward: "5w", from: 60, to: 95, share: 3, with: []string{"hfref"}, days: 5,
		complaint: "Breathless at night, legs swollen, four kilograms heavier",
		history:   "{age}-year-old {woman} known to have weak heart function. Over ten days {she} gained four kilograms, sleeps on three pillows and woke twice gasping for air. {She} ran out of the water tablet last week. No chest pain, no fever.",
		exam:      "Neck veins raised to the jaw, crackles to the mid zones, pitting to both knees. Warm hands. Soft murmur at the apex as before.",
		plan:      []string{"Furosemide intravenously twice a day, aim for two kilograms down a day.", "Weigh each morning, strict balance, salt below two grams.", "Potassium and creatinine daily; hold spironolactone above 5.5.", "Echocardiogram, the last was two years ago.", "Cardiology asked about next steps in treatment."},
		course:    []string{"Two litres negative, still needs oxygen at night.", "Down two kilograms. Crackles at the bases only. Creatinine up a little, accepted.", "Sleeps on two pillows. Swelling to mid shin. Furosemide to tablets tomorrow.", "Near {her} dry weight, on room air. Teaching about daily weights done with the family."},
		nursing:   []string{"Passed good amounts of urine after the injection. Legs up, skin intact. Weighed before breakfast.", "Short of breath when lying flat, head of bed raised. Balance negative. Salt-poor meals explained.", "Walked the corridor once. Shoes fit again, {she} says."},
		start:     signs{104, 148, 88, 24, 90, 366}, oxygen: "3 L/min by nasal prongs", panels: []string{"bmp", "bnp"},
		labs:  []trend{{"bnp", 8600, 2900}, {"creatinine", 148, 139}, {"k", 48, 41}, {"na", 131, 136}, {"troponin", 24, 19}},
		drugs: []string{"furosemide-iv", "enoxaparin"}, held: "furosemide", heldWhy: "Given intravenously for now",
		studies: []study{{"433236007", "Echocardiogram, transthoracic", "TRANSTHORACIC ECHOCARDIOGRAM\nLeft ventricle dilated, ejection fraction 30 to 35 %, global hypokinesis. Left atrium enlarged. Moderate functional mitral regurgitation. Estimated pulmonary pressure 48 mmHg.", "Ejection fraction 30 to 35 %, moderate mitral regurgitation."},
			{"399208008", "Chest X-ray, two views", "CHEST, TWO VIEWS\nEnlarged heart, upper lobe diversion, small effusions on both sides. No consolidation.", "Pulmonary congestion."}},
		consult: "card", ask: "Decompensated heart failure, ejection fraction 30 to 35 %: advice on treatment before discharge, please.",
		answer: "Seen with the echocardiogram. Congestion from lapsed diuretic, no new ischemia. Agree with the intravenous diuretic. Before discharge restart the beta blocker at the home dose, add an SGLT2 inhibitor, keep potassium below 5. Clinic in ten days."},
	{key: "copd", name: "Acute exacerbation of COPD", snomed: "195951007", icd: "J44.1", ward: "5w", from: 58, to: 88, share: 2, with: []string{"copd"}, days: 4,
		complaint: "Wheeze and cough, worse for four days",
		history:   "{age}-year-old {woman} with chronic obstructive lung disease. Four days of more cough and discoloured sputum, wheezing at rest since last night, inhaler every hour without relief. Two such episodes last winter.",
		exam:      "Sits forward, pursed lips, speaks in phrases. Wheeze throughout, no crackles. No leg swelling, calves soft.",
		plan:      []string{"Nebulized albuterol every four hours, prednisone 40 mg for five days.", "Azithromycin for three days.", "Controlled oxygen, aim for 88 to 92 %.", "Repeat blood gas if drowsy.", "Inhaler technique before discharge."},
		course:    []string{"Less tight after the night. Still wheezy on both sides.", "Nebulizers spaced to six hours. Sleeps better.", "Walks to the day room. Back to the hand inhaler.", "At {her} usual level. Home today or tomorrow with the tablets."},
		nursing:   []string{"Nebulizers given as ordered, some tremor afterwards. Oxygen at one litre, target shown on the board.", "Coughing spells at night, sat on the edge of the bed. Reassured.", "Practised with the spacer, good technique."},
		start:     signs{108, 142, 82, 28, 86, 372}, oxygen: "1 L/min by nasal prongs", panels: []string{"cbc", "bmp", "gas"},
		labs:    []trend{{"pco2", 56, 46}, {"ph", 733, 739}, {"wbc", 124, 98}, {"glucose", 168, 126}, {"co2", 33, 30}},
		drugs:   []string{"albuterol-neb", "prednisone", "azithromycin", "enoxaparin"},
		studies: []study{{"399208008", "Chest X-ray, two views", "CHEST, TWO VIEWS\nHyperinflated lungs, flat diaphragms. No consolidation, no effusion, no pneumothorax.", "Hyperinflation, no pneumonia."}}},
	{key: "cellulitis", name: "Cellulitis of leg", snomed: "128045006", icd: "L03.116", ward: "5w", from: 30, to: 88, share: 2, days: 3,
		complaint: "Red, hot, painful lower leg",
		history:   "{age}-year-old {woman} with two days of spreading redness over the left shin after a scratch in the garden, shivering last night. Tablets from the walk-in clinic did not hold it.",
		exam:      "Left shin red and warm from ankle to below the knee, border marked with pen at admission. No blisters, no crepitus, pulses present. Interdigital fissures.",
		plan:      []string{"Cefazolin intravenously, leg raised, border checked every shift.", "Treat the fissures.", "Tetanus up to date."},
		course:    []string{"Border two centimetres beyond the line, pain less.", "Redness back inside the line, no fever.", "Skin wrinkling, walks freely. Change to cephalexin and home."},
		nursing:   []string{"Leg on two pillows, border unchanged since morning. Pain 4 of 10 before, 2 after the tablet.", "Redness paler, cool packs comfortable. Toes dried and cream applied."},
		start:     signs{98, 126, 74, 18, 97, 386}, panels: []string{"cbc", "crp"},
		labs:  []trend{{"wbc", 152, 92}, {"crp", 128, 40}},
		drugs: []string{"cefazolin", "acetaminophen", "enoxaparin"}},
	{key: "gi-bleed", name: "Upper gastrointestinal bleeding", snomed: "37372002", icd: "K92.2", ward: "5w", from: 40, to: 88, share: 2, days: 4,
		complaint: "Black stools and dizziness",
		history:   "{age}-year-old {woman} with black stools since the day before yesterday, lightheaded on standing. Took ibuprofen for back pain for three weeks. No vomiting of blood, no liver disease.",
		exam:      "Pale. Abdomen soft, mild tenderness above the navel. Black stool on the glove.",
		plan:      []string{"Two large lines, blood grouped, one unit given in the emergency department.", "Pantoprazole intravenously.", "Endoscopy within a day.", "No ibuprofen again."},
		course:    []string{"Endoscopy done: ulcer treated. No further bleeding.", "Hemoglobin steady, eats soft food.", "Brown stool. Tablets instead of infusion.", "Walks the corridor, no dizziness."},
		nursing:   []string{"Stool dark, smaller. Pressure stable lying and sitting.", "Tolerates clear fluids. Lines flushed."},
		start:     signs{116, 98, 58, 20, 97, 366}, panels: []string{"cbc", "bmp"},
		labs:    []trend{{"hgb", 74, 92}, {"bun", 44, 18}, {"inr", 11, 11}},
		drugs:   []string{"pantoprazole-iv", "saline", "ondansetron"},
		surgery: &operation{"76009000", "Endoscopy of upper gastrointestinal tract", "Ulcer of one centimetre in the duodenal bulb with a visible vessel. Adrenaline injected, two clips placed. No bleeding at the end. Biopsies for Helicobacter. Sedation without events."}},
	{key: "pyelonephritis", name: "Acute pyelonephritis", snomed: "36689008", icd: "N10", ward: "5w", from: 20, to: 80, sex: 'f', share: 2, days: 3,
		complaint: "Flank pain, fever and vomiting",
		history:   "{age}-year-old {woman} with two days of burning urine, since yesterday right flank pain, shaking chills and vomiting. No stones before.",
		exam:      "Uncomfortable, tender over the right flank. Abdomen otherwise soft.",
		plan:      []string{"Ceftriaxone after urine and blood cultures.", "Fluids, ondansetron.", "Ultrasound if fever lasts beyond 48 hours."},
		course:    []string{"Fever to 38.6 in the night, vomited once.", "Afebrile, drinks well. Urine: E. coli, sensitive to ceftriaxone.", "No pain. Home on tablets."},
		nursing:   []string{"Hot-water bottle at the flank helps. Drank a litre.", "Slept well, no vomiting."},
		start:     signs{114, 106, 62, 20, 97, 393}, panels: []string{"cbc", "bmp", "crp"},
		labs:  []trend{{"wbc", 168, 88}, {"crp", 164, 52}, {"creatinine", 112, 80}},
		drugs: []string{"ceftriaxone", "saline", "ondansetron", "acetaminophen"}},
	{key: "hip-fracture", name: "Fracture of neck of femur", snomed: "5913000", icd: "S72.001A", ward: "4e", from: 66, to: 97, share: 3, days: 6,
		complaint: "Fall at home, cannot stand",
		history:   "{age}-year-old {woman} tripped over a rug in the evening and lay for an hour before a neighbour heard {hers}. Pain in the left hip, no head injury, no loss of consciousness. Walked with a stick before, lives alone.",
		exam:      "Left leg shortened and turned out. Foot warm, moves the toes. Lungs clear. Oriented.",
		plan:      []string{"Nerve block in the emergency department, surgery within a day.", "Enoxaparin from the evening after surgery.", "Full weight on the leg from the first day after.", "Look for delirium each shift; glasses and hearing aid at the bed.", "Bone protection before discharge."},
		course:    []string{"Surgery today, uneventful.", "First day after surgery. Stood at the bedside with two people. Pain 3 at rest.", "Walked five metres with the frame. Wound dry.", "Hemoglobin above 8, no transfusion. Eats half of {her} meals.", "Walks to the bathroom. Rehabilitation place requested."},
		nursing:   []string{"Turned every three hours, heels free. Pain 5 on moving. Calm and oriented.", "Sat out for lunch. Dressing dry. Walked with physiotherapy.", "A little confused towards evening, settled with the light on and a visit."},
		start:     signs{96, 148, 82, 18, 95, 367}, panels: []string{"cbc", "bmp"},
		labs:    []trend{{"hgb", 118, 92}, {"vitd", 14, 14}, {"inr", 11, 11}},
		drugs:   []string{"acetaminophen", "oxycodone", "enoxaparin", "docusate", "cefazolin"},
		studies: []study{{"268425006", "X-ray of pelvis and left hip", "PELVIS AND LEFT HIP\nDisplaced fracture of the left femoral neck. No further fracture. Bones thin.", "Displaced left femoral neck fracture."}},
		surgery: &operation{"179344006", "Hemiarthroplasty of hip", "Spinal anesthesia. Posterior approach. Cemented hemiarthroplasty, stable in all directions, legs equal. Blood loss 250 mL. Full weight allowed."}, consult: "rehab", ask: "Mobilize from the first day after hip surgery, please.", answer: "Transfers with one person and a frame, five metres today. Plan: twice daily, stairs before discharge."},
	{key: "appendicitis", name: "Acute appendicitis", snomed: "85189001", icd: "K35.80", ward: "4e", from: 12, to: 55, share: 2, days: 2,
		complaint: "Pain in the right lower abdomen",
		history:   "{age}-year-old {woman}. Pain began around the navel yesterday, moved to the right lower side overnight, with nausea and no appetite. No earlier surgery.",
		exam:      "Tender with guarding at McBurney's point, rebound present. Bowel sounds quiet.",
		plan:      []string{"Nothing by mouth, fluids, cefazolin and metronidazole.", "Laparoscopic appendectomy today."},
		course:    []string{"Appendix out, not perforated. Drinks in the evening.", "Eats, walks, wounds clean. Home this afternoon."},
		nursing:   []string{"Back from theatre, drowsy, pain 4. Three small dressings dry.", "Up to the bathroom alone, ate breakfast."},
		start:     signs{102, 124, 76, 18, 98, 381}, panels: []string{"cbc", "crp"},
		labs:    []trend{{"wbc", 156, 98}, {"crp", 62, 44}},
		drugs:   []string{"cefazolin", "metronidazole", "acetaminophen", "ondansetron", "saline"},
		surgery: &operation{"6025007", "Laparoscopic appendectomy", "Three ports. Appendix inflamed, not perforated, removed in a bag. No pus. Rest of the bowel normal. Blood loss minimal."}},
	{key: "cholecystitis", name: "Acute cholecystitis", snomed: "65275009", icd: "K81.0", ward: "4e", from: 30, to: 82, share: 2, days: 3,
		complaint: "Pain under the right ribs after a heavy meal",
		history:   "{age}-year-old {woman} with eighteen hours of constant pain under the right ribs going to the shoulder blade, vomited twice. Similar shorter attacks after fat meals since summer.",
		exam:      "Tender under the right ribs, breath stops on pressing. No jaundice.",
		plan:      []string{"Nothing by mouth, fluids, ceftriaxone and metronidazole.", "Cholecystectomy on the next list.", "Liver tests daily."},
		course:    []string{"Surgery done through the scope. Drain with little fluid.", "Drain out, light food, pain 2.", "Home with advice."},
		nursing:   []string{"Nausea better after ondansetron. Drain 30 mL, clear.", "Walked around the ward twice, passed wind."},
		start:     signs{100, 138, 80, 18, 97, 383}, panels: []string{"cbc", "liver"},
		labs:    []trend{{"wbc", 148, 96}, {"bili", 16, 8}, {"alp", 168, 130}, {"alt", 84, 48}},
		drugs:   []string{"ceftriaxone", "metronidazole", "acetaminophen", "ondansetron"},
		studies: []study{{"45036003", "Ultrasound of abdomen", "ABDOMINAL ULTRASOUND\nGallbladder wall 6 mm with stones and fluid around it, tender on pressure. Common duct 5 mm. Liver and right kidney normal.", "Acute cholecystitis with stones, ducts not dilated."}},
		surgery: &operation{"45595009", "Laparoscopic cholecystectomy", "Inflamed gallbladder with thick wall, dissected without injury; critical view of safety obtained. Drain left. Blood loss 60 mL."}},
	{key: "knee", name: "Osteoarthritis of knee, replacement", snomed: "239873007", icd: "M17.11", ward: "4e", from: 55, to: 85, share: 2, with: []string{"oa-knee"}, days: 3,
		complaint: "Planned replacement of the right knee",
		history:   "{age}-year-old {woman} with years of knee pain, now at night too, walking distance 200 metres. Exercises and injections no longer help.",
		exam:      "Varus knee, flexion 95 degrees, no effusion. Skin sound, pulses present.",
		plan:      []string{"Total knee replacement on the day of admission.", "Stand the same evening, physiotherapy twice a day.", "Enoxaparin for two weeks."},
		course:    []string{"Surgery without events. Stood in the evening.", "Flexion 70 degrees, walks with the frame, pain 4.", "Stairs with two canes. Wound dry. Home tomorrow."},
		nursing:   []string{"Cool pack, leg straight, toes warm. Pain 5, 3 after the tablet.", "Walked to the bathroom with the frame."},
		start:     signs{78, 136, 80, 16, 97, 366}, panels: []string{"cbc", "bmp"},
		labs:    []trend{{"hgb", 132, 106}},
		drugs:   []string{"acetaminophen", "oxycodone", "enoxaparin", "docusate", "cefazolin"},
		surgery: &operation{"609588000", "Total replacement of knee joint", "Spinal anesthesia, tourniquet 58 minutes. Cemented total knee replacement, balanced, 0 to 120 degrees. Local infiltration."}, consult: "rehab", ask: "Knee replacement protocol, please.", answer: "Flexion 70 degrees, quadriceps fair. Walks 30 metres with the frame. Stairs tomorrow."},
	{key: "sepsis", name: "Sepsis", snomed: "91302008", icd: "A41.9", ward: "icu", from: 45, to: 90, share: 3, days: 5,
		complaint: "Found drowsy with fever",
		history:   "{age}-year-old {woman} found drowsy by family, shivering, passing little urine for a day. Burning on urination earlier in the week. Pressure 78 systolic on arrival, two litres of fluid given.",
		exam:      "Drowsy, answers simple questions. Mottled knees, warm trunk. Abdomen soft, flank tender.",
		plan:      []string{"Cultures, then piperacillin-tazobactam and vancomycin within the hour.", "Norepinephrine to a mean pressure of 65.", "Lactate every four hours until normal.", "Ultrasound of the kidneys tonight.", "Family spoken to: full treatment."},
		course:    []string{"Norepinephrine at 12, lactate falling. Awake, oriented to person.", "Off norepinephrine since 04:00. Urine 50 mL an hour. Blood culture: E. coli.", "Narrowed to ceftriaxone. Sits in the chair.", "Ready for the ward when a bed is free."},
		nursing:   []string{"Arterial line, hourly urine. Turned every two hours. Skin intact.", "Weaned the pressor by one every half hour, pressure holds. Family at the bed until nine."},
		start:     signs{124, 84, 46, 28, 92, 392}, oxygen: "4 L/min by mask", panels: []string{"cbc", "bmp", "gas"},
		labs:  []trend{{"lactate", 52, 12}, {"wbc", 224, 112}, {"creatinine", 246, 118}, {"plt", 96, 168}, {"pct", 2800, 260}, {"bun", 46, 22}},
		drugs: []string{"piperacillin", "vancomycin", "norepinephrine", "saline", "enoxaparin"}, held: "lisinopril", heldWhy: "Low blood pressure",
		studies: []study{{"399208008", "Chest X-ray, one view", "CHEST, ONE VIEW, BEDSIDE\nCentral line tip in the superior vena cava. No pneumothorax. Lungs clear.", "Line in place, lungs clear."}}},
	{key: "nstemi", name: "Myocardial infarction without ST elevation", snomed: "401314000", icd: "I21.4", ward: "icu", from: 48, to: 90, share: 2, with: []string{"cad"}, days: 3,
		complaint: "Chest pressure for two hours",
		history:   "{age}-year-old {woman} with pressure behind the breastbone at rest for two hours, into the left arm, sweating. Relieved by nitroglycerin in the ambulance.",
		exam:      "Comfortable now. No murmur, lungs clear, pulses equal.",
		plan:      []string{"Aspirin, ticagrelor, heparin, statin.", "Troponin at 0, 3 and 6 hours.", "Catheter tomorrow, sooner if pain returns.", "Monitor."},
		course:    []string{"No pain overnight. Catheter: one stent.", "Walks, no pain, wrist clean. Heparin stopped.", "Rehabilitation explained, home tomorrow."},
		nursing:   []string{"Monitor without events. Wrist band deflated by protocol, no bleeding.", "Walked fifty metres, pulse 84, no pain."},
		start:     signs{94, 156, 90, 18, 96, 366}, panels: []string{"cbc", "bmp", "troponin"},
		labs:    []trend{{"troponin", 684, 120}, {"ldl", 138, 138}, {"k", 40, 42}},
		drugs:   []string{"aspirin", "ticagrelor", "heparin", "atorvastatin", "metoprolol", "nitroglycerin"},
		studies: []study{{"29303009", "Electrocardiogram", "ELECTROCARDIOGRAM\nSinus rhythm 92. ST depression of 1 mm in V4 to V6. No Q waves.", "Lateral ST depression."}},
		surgery: &operation{"415070008", "Percutaneous coronary intervention", "Right radial access. Ninety percent narrowing of the mid circumflex, one drug-eluting stent, good flow. Other vessels without significant narrowing. Contrast 110 mL."}, consult: "card", ask: "Infarction without ST elevation: catheter, please.", answer: "Catheter done, one stent in the circumflex. Two antiplatelet drugs for twelve months. LDL target below 55. Rehabilitation. Clinic in four weeks."},
	{key: "ketoacidosis", name: "Diabetic ketoacidosis", snomed: "420422005", icd: "E11.10", ward: "icu", from: 18, to: 60, share: 1, with: []string{"t2dm"}, days: 3,
		complaint: "Vomiting, thirst, fast breathing",
		history:   "{age}-year-old {woman} with diabetes, three days of vomiting and thirst after stopping insulin with a stomach bug. Breathing fast since the morning.",
		exam:      "Dry, deep breathing, smells of acetone. Abdomen diffusely tender, soft.",
		plan:      []string{"Fluids and insulin by protocol, potassium from the second litre.", "Glucose hourly, gas every two hours.", "Sick-day rules before discharge."},
		course:    []string{"Gap closing, potassium replaced.", "Gap closed, eats. Insulin under the skin, infusion off two hours later.", "Diabetes nurse has taught the sick-day rules. Home tomorrow."},
		nursing:   []string{"Glucose hourly, insulin adjusted. Mouth care, no more vomiting.", "Ate breakfast, first dose of long insulin given."},
		start:     signs{122, 104, 62, 30, 98, 368}, panels: []string{"bmp", "gas"},
		labs:  []trend{{"glucose", 522, 148}, {"ketone", 68, 4}, {"co2", 8, 24}, {"ph", 708, 739}, {"k", 56, 40}, {"a1c", 112, 112}},
		drugs: []string{"insulin-iv", "saline", "glargine", "lispro", "ondansetron"}, held: "metformin", heldWhy: "Acidosis"},
	{key: "major-depression", name: "Severe depressive episode", snomed: "310497006", icd: "F32.2", ward: "2s", from: 19, to: 70, share: 3, with: []string{"depression"}, days: 16, label: labelPsychiatry,
		complaint: "Cannot go on, sent by the family doctor",
		history:   "{age}-year-old {woman} with six weeks of low mood, waking at three, seven kilograms lighter, guilt over a lost job. Thought of ending {her} life, no plan, came by {her} own choice with {her} sister.",
		exam:      "Slow speech, little eye contact, tearful. Oriented. No hallucinations. Wishes to be helped.",
		plan:      []string{"Voluntary admission, observation every half hour for two days.", "Sertraline raised, mirtazapine at night.", "Therapy three times a week.", "Sister involved with consent."},
		course:    []string{"Sleeps six hours with mirtazapine. Thoughts of death less frequent, no plan.", "Took part in the morning group. Appetite better.", "First visit home for an afternoon went well.", "Mood brighter towards evening. Discharge planned next week with day clinic."},
		nursing:   []string{"Sat in the day room, spoke a little. Ate two thirds of supper. Checks done as ordered.", "Woke at four, talked with the night nurse, slept again.", "Walked in the garden with the group, smiled once."},
		start:     signs{84, 118, 74, 15, 98, 365}, panels: []string{"bmp"}, labs: []trend{{"tsh", 210, 210}},
		drugs: []string{"sertraline", "mirtazapine"}},
	{key: "withdrawal", name: "Alcohol withdrawal", snomed: "191480000", icd: "F10.230", ward: "2s", from: 28, to: 68, share: 2, days: 5, label: labelSubstance,
		complaint: "Shaking and sweating since stopping alcohol",
		history:   "{age}-year-old {woman}, a bottle of spirits a day for two years, stopped the day before yesterday to get sober. Shaking, sweating, no sleep. One seizure during withdrawal last year.",
		exam:      "Tremor of the hands, sweating, restless, oriented. Liver two fingers below the ribs.",
		plan:      []string{"Withdrawal score every four hours, lorazepam by score.", "Thiamine before glucose.", "Fluids, magnesium.", "Naltrexone and a place in the day programme offered."},
		course:    []string{"Score 18 in the night, 12 this morning. No seizure.", "Score below 8 since noon. Eats and sleeps.", "No lorazepam for a day. Starts naltrexone, meets the counsellor."},
		nursing:   []string{"Score 14, lorazepam given, settled in an hour. Fluids at the bed.", "Score 6, played cards in the day room."},
		start:     signs{114, 158, 96, 20, 97, 374}, panels: []string{"bmp", "liver"},
		labs:  []trend{{"ethanol", 0, 0}, {"alt", 96, 82}, {"ast", 188, 120}, {"k", 32, 40}, {"plt", 118, 142}},
		drugs: []string{"lorazepam", "thiamine", "folic-acid", "naltrexone"}},
}

// storiesOf are the stories of a ward, each as often as its share.
func storiesOf(ward string) (out []*story) {
	for i := range stories {
		if s := &stories[i]; s.ward == ward {
			for range s.share {
				out = append(out, s)
			}
		}
	}
	return out
}
