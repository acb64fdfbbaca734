<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.16" styleCategories="Symbology|Labeling|Fields|Forms|MapTips" labelsEnabled="1">
  <renderer-v2 type="categorizedSymbol" attr="verdict" symbollevels="0" enableorderby="0" forceraster="0" referencescale="-1">
    <categories>
      <category symbol="0" value="undeclared" label="Undeclared" render="true"/>
      <category symbol="1" value="over_run" label="Over-run: outside the declared area or window" render="true"/>
      <category symbol="2" value="inconclusive" label="Inconclusive" render="true"/>
      <category symbol="3" value="not_observable" label="Not observable" render="true"/>
      <category symbol="4" value="consistent" label="Consistent with what was declared" render="true"/>
    </categories>
    <symbols>
      <symbol type="fill" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
        <layer class="SimpleFill" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="color" type="QString" value="178,50,0,45"/>
            <Option name="style" type="QString" value="solid"/>
            <Option name="outline_style" type="QString" value="no"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="255,255,255,235"/>
            <Option name="line_width" type="QString" value="1.3"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="178,50,0,255"/>
            <Option name="line_width" type="QString" value="0.8"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
          </Option>
        </layer>
      </symbol>
      <symbol type="fill" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
        <layer class="SimpleFill" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="color" type="QString" value="138,90,0,45"/>
            <Option name="style" type="QString" value="solid"/>
            <Option name="outline_style" type="QString" value="no"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="255,255,255,235"/>
            <Option name="line_width" type="QString" value="1.3"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="138,90,0,255"/>
            <Option name="line_width" type="QString" value="0.66"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
            <Option name="use_custom_dash" type="QString" value="1"/>
            <Option name="customdash" type="QString" value="4;1"/>
            <Option name="customdash_unit" type="QString" value="MM"/>
          </Option>
        </layer>
      </symbol>
      <symbol type="fill" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
        <layer class="SimpleFill" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="color" type="QString" value="125,60,122,45"/>
            <Option name="style" type="QString" value="solid"/>
            <Option name="outline_style" type="QString" value="no"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="255,255,255,235"/>
            <Option name="line_width" type="QString" value="1.3"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="125,60,122,255"/>
            <Option name="line_width" type="QString" value="0.66"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
            <Option name="use_custom_dash" type="QString" value="1"/>
            <Option name="customdash" type="QString" value="1.2;1.2"/>
            <Option name="customdash_unit" type="QString" value="MM"/>
          </Option>
        </layer>
      </symbol>
      <symbol type="fill" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
        <layer class="SimpleFill" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="color" type="QString" value="90,95,102,45"/>
            <Option name="style" type="QString" value="solid"/>
            <Option name="outline_style" type="QString" value="no"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="255,255,255,235"/>
            <Option name="line_width" type="QString" value="1.3"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="90,95,102,255"/>
            <Option name="line_width" type="QString" value="0.66"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
            <Option name="use_custom_dash" type="QString" value="1"/>
            <Option name="customdash" type="QString" value="0.4;1.2"/>
            <Option name="customdash_unit" type="QString" value="MM"/>
          </Option>
        </layer>
      </symbol>
      <symbol type="fill" name="4" alpha="1" clip_to_extent="1" force_rhr="0">
        <layer class="SimpleFill" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="color" type="QString" value="0,105,77,45"/>
            <Option name="style" type="QString" value="solid"/>
            <Option name="outline_style" type="QString" value="no"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="255,255,255,235"/>
            <Option name="line_width" type="QString" value="1.3"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="0,105,77,255"/>
            <Option name="line_width" type="QString" value="0.5"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
          </Option>
        </layer>
      </symbol>
    </symbols>
  </renderer-v2>
  <labeling type="simple">
    <settings calloutType="simple">
      <text-style isExpression="1" fieldName="coalesce('No. ' || &quot;number&quot;, &quot;id&quot;) || if(@map_scale &lt; 15000, '\n' || format_number(&quot;area_m2&quot;, 0) || ' m²', '')" fontFamily="Open Sans" fontSize="9" fontSizeUnit="Point" fontWeight="75" fontItalic="0" textColor="27,29,31,255" textOpacity="1" allowHtml="0" multilineHeight="1">
        <families>
          <family name="Liberation Sans"/>
          <family name="DejaVu Sans"/>
        </families>
        <text-buffer bufferDraw="1" bufferSize="0.9" bufferSizeUnits="MM" bufferColor="255,255,255,255" bufferOpacity="0.85" bufferJoinStyle="128" bufferNoFill="1"/>
      </text-style>
      <text-format multilineAlign="1"/>
      <placement placement="8" dist="0.8" distUnits="MM" priority="9" polygonPlacementFlags="2"/>
      <rendering scaleVisibility="1" scaleMin="0" scaleMax="50000" obstacle="1" drawLabels="1" displayAll="0"/>
    </settings>
  </labeling>
  <fieldConfiguration>
    <field name="evidence_for">
      <editWidget type="TextEdit">
        <config>
          <Option type="Map">
            <Option name="IsMultiline" type="bool" value="true"/>
          </Option>
        </config>
      </editWidget>
    </field>
    <field name="evidence_against">
      <editWidget type="TextEdit">
        <config>
          <Option type="Map">
            <Option name="IsMultiline" type="bool" value="true"/>
          </Option>
        </config>
      </editWidget>
    </field>
    <field name="change">
      <editWidget type="TextEdit">
        <config>
          <Option type="Map">
            <Option name="IsMultiline" type="bool" value="true"/>
          </Option>
        </config>
      </editWidget>
    </field>
    <field name="votes">
      <editWidget type="TextEdit">
        <config>
          <Option type="Map">
            <Option name="IsMultiline" type="bool" value="true"/>
          </Option>
        </config>
      </editWidget>
    </field>
  </fieldConfiguration>
  <aliases>
    <alias field="number" index="1" name="No. in the report"/>
    <alias field="id" index="2" name="Id"/>
    <alias field="verdict" index="3" name="Verdict (code)"/>
    <alias field="verdict_words" index="4" name="Verdict"/>
    <alias field="needs_review" index="5" name="Needs review"/>
    <alias field="likelihood" index="6" name="Likelihood of change"/>
    <alias field="confidence" index="7" name="Confidence in the verdict"/>
    <alias field="area_m2" index="8" name="Area, m²"/>
    <alias field="pixels" index="9" name="Pixels"/>
    <alias field="peak_sigma" index="10" name="Peak score, σ"/>
    <alias field="mean_sigma" index="11" name="Mean score, σ"/>
    <alias field="from" index="12" name="Not before"/>
    <alias field="to" index="13" name="Not after"/>
    <alias field="before" index="14" name="Earlier scene"/>
    <alias field="after" index="15" name="Later scene"/>
    <alias field="zones" index="16" name="Zones"/>
    <alias field="activities" index="17" name="Declared activities"/>
    <alias field="evidence_for" index="18" name="Why this verdict"/>
    <alias field="evidence_against" index="19" name="What speaks against it"/>
    <alias field="change" index="20" name="Change per band"/>
    <alias field="course" index="21" name="Course"/>
    <alias field="detector" index="22" name="Detector"/>
    <alias field="votes" index="23" name="Detectors"/>
  </aliases>
  <previewExpression>coalesce('No. ' || "number", "id") || ': ' || "verdict_words"</previewExpression>
  <mapTip>&lt;div style="max-width: 28em"&gt;
&lt;b&gt;[% coalesce('No. ' || "number" || ': ', '') || "verdict_words" %]&lt;/b&gt;&lt;br&gt;
[% format_number("area_m2", 0) %] m², peak [% format_number("peak_sigma", 1) %] σ, between [% format_date("from", 'yyyy-MM-dd') %] and [% format_date("to", 'yyyy-MM-dd') %]&lt;br&gt;
[% 'Likelihood of change: ' || "likelihood" %]&lt;br&gt;
[% 'Confidence in the verdict: ' || "confidence" %]
&lt;p style="white-space: pre-wrap"&gt;&lt;b&gt;Why&lt;/b&gt;
[% replace("evidence_for", map('&amp;', '&amp;amp;', '&lt;', '&amp;lt;', '&gt;', '&amp;gt;')) %]&lt;/p&gt;
&lt;p style="white-space: pre-wrap"&gt;&lt;b&gt;[% if(length("evidence_against") &gt; 0, 'What speaks against it', '') %]&lt;/b&gt;
[% replace("evidence_against", map('&amp;', '&amp;amp;', '&lt;', '&amp;lt;', '&gt;', '&amp;gt;')) %]&lt;/p&gt;
&lt;small&gt;[% replace("id", map('&amp;', '&amp;amp;', '&lt;', '&amp;lt;', '&gt;', '&amp;gt;')) %]&lt;/small&gt;
&lt;/div&gt;</mapTip>
  <layerGeometryType>2</layerGeometryType>
</qgis>
