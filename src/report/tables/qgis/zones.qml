<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.16" styleCategories="Symbology|Labeling|Fields|Forms|MapTips" labelsEnabled="1">
  <renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0" forceraster="0" referencescale="-1">
    <symbols>
      <symbol type="fill" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="0,0,0,150"/>
            <Option name="line_width" type="QString" value="0.9"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="flat"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" type="QString" value="255,255,255,255"/>
            <Option name="line_width" type="QString" value="0.5"/>
            <Option name="line_width_unit" type="QString" value="MM"/>
            <Option name="joinstyle" type="QString" value="round"/>
            <Option name="capstyle" type="QString" value="round"/>
            <Option name="use_custom_dash" type="QString" value="1"/>
            <Option name="customdash" type="QString" value="0.1;1.1"/>
            <Option name="customdash_unit" type="QString" value="MM"/>
          </Option>
        </layer>
      </symbol>
    </symbols>
  </renderer-v2>
  <labeling type="simple">
    <settings calloutType="simple">
      <text-style isExpression="1" fieldName="&quot;id&quot; || ' (' || &quot;role&quot; || ')\n' || &quot;observed&quot; || ' observed'" fontFamily="Open Sans" fontSize="8" fontSizeUnit="Point" fontWeight="50" fontItalic="1" textColor="45,48,52,255" textOpacity="1" allowHtml="0" multilineHeight="1">
        <families>
          <family name="Liberation Sans"/>
          <family name="DejaVu Sans"/>
        </families>
        <text-buffer bufferDraw="1" bufferSize="0.9" bufferSizeUnits="MM" bufferColor="255,255,255,255" bufferOpacity="0.85" bufferJoinStyle="128" bufferNoFill="1"/>
      </text-style>
      <text-format multilineAlign="1"/>
      <placement placement="4" dist="0.8" distUnits="MM" priority="3" polygonPlacementFlags="2"/>
      <rendering scaleVisibility="1" scaleMin="0" scaleMax="50000" obstacle="0" drawLabels="1" displayAll="0"/>
    </settings>
  </labeling>
  <aliases>
    <alias field="id" index="1" name="Id"/>
    <alias field="role" index="2" name="Role"/>
    <alias field="observed_fraction" index="3" name="Observed fraction"/>
    <alias field="observed" index="4" name="Observed"/>
    <alias field="not_observed" index="5" name="Not observed, by reason"/>
    <alias field="from" index="6" name="Comparison from"/>
    <alias field="to" index="7" name="Comparison to"/>
  </aliases>
  <previewExpression>"id" || ' (' || "role" || ')'</previewExpression>
  <mapTip>&lt;div style="max-width: 28em"&gt;
&lt;b&gt;[% replace("id", map('&amp;', '&amp;amp;', '&lt;', '&amp;lt;', '&gt;', '&amp;gt;')) %]&lt;/b&gt;, zone: [% replace("role", map('&amp;', '&amp;amp;', '&lt;', '&amp;lt;', '&gt;', '&amp;gt;')) %]&lt;br&gt;
Observed: [% "observed" %] ([% format_date("from", 'yyyy-MM-dd') %] to [% format_date("to", 'yyyy-MM-dd') %])&lt;br&gt;
[% if("not_observed" IS NULL, '', 'Not observed: ') %][% replace("not_observed", map('&amp;', '&amp;amp;', '&lt;', '&amp;lt;', '&gt;', '&amp;gt;')) %]
&lt;/div&gt;</mapTip>
  <layerGeometryType>2</layerGeometryType>
</qgis>
